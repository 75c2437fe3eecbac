# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""schema.py NAME SCHEMA FILE: what a command printed, a JSON value a line or one in all, is what its
printed schema says, and has no member of which the schema does not know.
"""
import json
import sys

from jsonschema import Draft202012Validator

from verdict import end, expect


def closed(schema):
    """The same schema, whose objects may have no other members than those that it names."""
    if isinstance(schema, list):
        return [closed(s) for s in schema]
    if not isinstance(schema, dict):
        return schema
    mine = {key: closed(value) for key, value in schema.items()}
    if isinstance(mine.get("properties"), dict):
        mine.setdefault("additionalProperties", False)
    return mine


def values(path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    try:
        return [json.loads(text)]
    except json.JSONDecodeError:
        return [json.loads(line) for line in text.splitlines()]


def main():
    name, schema_path, path = sys.argv[1:]
    schema = values(schema_path)[0]
    Draft202012Validator.check_schema(schema)
    all_of_them = values(path)
    expect(name + ": something was printed", True, len(all_of_them) > 0)
    for which, rules in (("as its schema says", schema), ("nothing beside", closed(schema))):
        faults = [error.json_path + ": " + error.message for value in all_of_them
                  for error in Draft202012Validator(rules).iter_errors(value)]
        expect(name + ": " + which, [], faults[:3])
    end()


main()

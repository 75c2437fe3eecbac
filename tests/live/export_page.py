#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What the exporter's pages must keep: read by Prometheus' own strict parsers.

export_page.py check FORMAT FILE        FORMAT is text or openmetrics
export_page.py grown BEFORE AFTER       no counter of BEFORE is missing or smaller in AFTER
export_page.py p99 SLOW.json...         the exact P99, in seconds, of what `slow --over 0ns` printed
export_page.py threads COUNT            a program: threads with hostile names, each an event loop
"""
import collections
import ctypes
import json
import math
import select
import sys
import threading


def families(kind, path):
    if kind == 'text':
        from prometheus_client.parser import text_string_to_metric_families as parse
    else:
        from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse
    with open(path, encoding='utf-8', errors='strict') as page:
        return list(parse(page.read()))


def check(kind, path):
    seen = set()
    for family in families(kind, path):
        buckets = collections.defaultdict(list)
        counts = {}
        for s in family.samples:
            key = (s.name, tuple(sorted(s.labels.items())))
            if key in seen:
                sys.exit(f'twice: {key}')
            seen.add(key)
            rest = tuple(sorted((k, v) for k, v in s.labels.items() if k != 'le'))
            if s.name.endswith('_bucket'):
                buckets[rest].append((float(s.labels['le']), s.value))
                if s.exemplar and not s.exemplar.value <= float(s.labels['le']):
                    sys.exit(f'exemplar outside its bucket: {s}')
            elif s.name.endswith('_count'):
                counts[rest] = s.value
        for rest, values in buckets.items():
            if values != sorted(values) or [v for _, v in values] != sorted(v for _, v in values):
                sys.exit(f'not cumulative: {family.name} {rest}')
            if values[-1] != (math.inf, counts[rest]):
                sys.exit(f'count is not the last bucket: {family.name} {rest}')
            if [le for le, _ in values[:-1]] != [2 ** k / 1e9 for k in range(10, 37)]:
                sys.exit(f'other bounds: {family.name} {rest}')
    print(len(seen))


def counters(path):
    found = {}
    for family in families('text', path):
        if family.type not in ('counter', 'histogram', 'summary'):
            continue
        for s in family.samples:
            found[s.name, tuple(sorted(s.labels.items()))] = s.value
    return found


def grown(before, after):
    new = counters(after)
    for key, value in counters(before).items():
        if key not in new:
            sys.exit(f'gone: {key}')
        if new[key] < value:
            sys.exit(f'fell: {key} {value} {new[key]}')
    print('ok')


def p99(paths):
    latencies = []
    for path in paths:
        with open(path, encoding='utf-8') as lines:
            latencies += [json.loads(line)['latency_ns'] for line in lines]
    latencies.sort()
    print(len(latencies), latencies[math.ceil(0.99 * len(latencies)) - 1] / 1e9)


def threads(count):
    hostile = [b'a"b', b'a\\b', b'nl\nnl', b'\x1b[31mred', b'cut\xe2\x82', b'\xff) R 1 (', b'{le="0"}',
               b'other', b' ', b'# EOF', b'\xc3\xa9']
    libc = ctypes.CDLL(None)
    epoll = select.epoll()

    def loop(name):
        libc.prctl(15, name, 0, 0, 0)
        for _ in range(4):
            epoll.poll(0)

    sys.stdin.readline()
    for i in range(count):
        t = threading.Thread(target=loop, args=(hostile[i] if i < len(hostile) else b'n%d' % i,))
        t.start()
        t.join()
    print('done', flush=True)
    sys.stdin.readline()


if __name__ == '__main__':
    command, arguments = sys.argv[1], sys.argv[2:]
    if command == 'threads':
        threads(int(arguments[0]))
    elif command == 'p99':
        p99(arguments)
    else:
        {'check': check, 'grown': grown}[command](*arguments)

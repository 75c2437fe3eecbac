#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""html.py - reads a report's page as a person would, in a real browser.

  html.py FOLDER NAME: holds page.html and report.json of one run, replay.html and replay.json of a
  capture, and empty.html; screenshots go there. NAME is the target's, full of markup.
"""
import json
import os
import sys

from devtools import BOX, drive
from verdict import expect

# Rows of the table with that label: the row's head, then the value of each number.
TABLE = """[...document.querySelectorAll('[aria-label="%s"] tbody tr:not(.part)')].map(r =>
    [r.querySelector('th').textContent, ...[...r.querySelectorAll('data')].map(d => +d.value)])"""
FRAMES = "[...document.querySelectorAll('.frames g')].filter(g => !g.hasAttribute('display'))"
HEAT = "JSON.parse(document.getElementById('heat-data').textContent)"
SECTIONS = ["diagnosis", "ledger", "heat", "worst", "flame", "details", "loss"]


def table(b, label):
    return b.eval(TABLE % label)


def known(*values):
    return [v for v in values if v is not None]


def read_numbers(b, report):
    x = report["exchanges"]
    d = x["latency_ns"]
    expect("the page's JSON is --json's", report,
           json.loads(b.eval("document.getElementById('report').textContent")))
    wait = report["holds"]["open_loop_wait_ns"]
    expect("latency", [["server", x["count"]] + [d[k] for k in
                        ("mean", "p50", "p90", "p99", "p999", "max")],
                       ["open loop"] + [wait[k] for k in ("p50", "p90", "p99", "p999")] +
                       [report["holds"]["max_ns"]]], table(b, "Latency"))
    expect("the ledger", [[s["stage"]] + known(*(s[k] for k in
                          ("count", "p50_ns", "p99_ns", "max_ns")))
                          for s in x["stages"] + x["after"]], table(b, "Ledger: the eight stages"))
    expect("system calls", [[s["name"]] + known(*(s[k] for k in
                            ("count", "errors", "eagain", "p50_ns", "p99_ns", "max_ns", "sum_ns")))
                            for s in report["syscalls"]], table(b, "System calls"))
    expect("losses", [[k, v] for k, v in report["loss"].items()], table(b, "Losses"))
    expect("findings", [f["code"] for f in report["diagnosis"]], b.eval(
        "[...document.querySelectorAll('.finding h3')].map(h => h.firstChild.textContent.trim())"))
    stages = [[s["stage"], s["ns"]] for w in report["worst"] for s in w["stages"] if s["ns"]]
    expect("waterfalls", stages, table(b, "Stages of one exchange"))
    expect("each sums to its latency", [w["latency_ns"] for w in report["worst"]], b.eval(
        "[...document.querySelectorAll('.exchange')].map(e => [...e.querySelectorAll('tbody data')]"
        ".reduce((sum, d) => sum + +d.value, 0))"))
    expect("what the thread did is told", True, b.eval(
        "[...document.querySelectorAll('.part')].some(p => /^slept .* in .*sleep/"
        ".test(p.textContent))"))


def read_heat(b, report):
    count = report["exchanges"]["count"]
    heat = b.eval(HEAT)
    expect("cells sum to the exchanges", count, sum(n for c in heat["cells"] for _, n in c))
    expect("the table too", [count, [sum(n for _, n in c) for c in heat["cells"]]],
           [sum(r[1] for r in table(b, "Latency over time")),
            [r[1] for r in table(b, "Latency over time")]])
    expect("as many cells are drawn", sum(len(c) for c in heat["cells"]), b.eval(
        "[...document.querySelectorAll('.plot path')].reduce((n, p) => n + "
        "p.getAttribute('d').split('M').length - 1, 0)"))
    expect("time goes on", True, heat["edges"] == sorted(heat["edges"]) and
           len(heat["edges"]) == len(heat["cells"]) + 1)
    b.eval("document.querySelector('.plot').scrollIntoView({behavior: 'instant'})")
    left, top, width, height = b.eval(BOX % "document.querySelector('.plot svg')")
    column = max(range(len(heat["cells"])), key=lambda c: len(heat["cells"][c]))
    row, n = heat["cells"][column][0]
    middle = (heat["edges"][column] + heat["edges"][column + 1]) / 2 / heat["edges"][-1]
    rows = len(heat["rows"]) - 1
    b.mouse("mouseMoved", left + middle * width, top + (rows - row - 0.5) / rows * height)
    expect("a cell under the mouse", "%s of %s" % (format(n, ","), format(
        sum(k for _, k in heat["cells"][column]), ",")),
        b.eval("document.querySelector('.tip').textContent.split('\\n')[2].split(' exch')[0]"))
    b.mouse("mouseMoved", 2, 2)
    expect("the words go with it", True, b.eval("document.querySelector('.tip').hidden"))
    b.eval("document.querySelector('.plot svg').focus()")
    b.key("ArrowRight")
    expect("and come by keys", False, b.eval("document.querySelector('.tip').hidden"))
    b.key("Escape")


def use_flame(b):
    expect("one flame graph", 1, b.eval("document.querySelectorAll('svg.flame').length"))
    before = b.eval(FRAMES + ".length")
    b.eval("document.querySelector('svg.flame').scrollIntoView({behavior: 'instant', block: 'end'})")
    service = "[...document.querySelectorAll('.frames .s0')].find(g => g.flame.name === 'service')"
    x, y, w, h = b.eval(BOX % (service + ".querySelector('rect')"))
    whole = b.eval(BOX % "document.querySelector('.frames .a0 rect')")[2]
    b.click(x + w / 2, y + h / 2)
    expect("a click zooms it", [True, round(whole)], [b.eval(FRAMES + ".length") < before, round(
        b.eval(BOX % (service + ".querySelector('rect')"))[2])])
    b.key("Escape")
    expect("Escape resets it", before, b.eval(FRAMES + ".length"))
    expect("the fault is in it", True, b.eval(FRAMES + ".some(g => /nanosleep/.test(g.flame.name))"))


def read_names(b, name):
    # A name is 15 bytes; the page shows it as text.
    expect("a hostile name is a heading", name, b.eval(
        "document.querySelector('h1').firstChild.textContent.trim()"))
    expect("and the loops' threads'", [name], sorted(set(
        r[0] for r in table(b, "Event loops"))))
    expect("and makes no element", 0, b.eval(
        "[...document.querySelectorAll('i')].filter(i => !i.className).length"))


def fit(b):
    b.scheme("light")
    b.size(390, 844, mobile=True)
    b.open("page.html")
    expect("a phone has the whole ledger", [True, True], b.eval(
        "[[...document.querySelectorAll('.stages .why')].every(e => e.offsetHeight > 0),"
        "(e => e.scrollWidth <= e.clientWidth)(document.querySelector('.stages .scroll'))]"))
    b.size(1280, 800)
    b.open("page.html")
    expect("Tab stops at no table that fits", [], b.eval(
        "[...document.querySelectorAll('.scroll[tabindex]')].filter(e => e.checkVisibility() && "
        "e.scrollWidth <= e.clientWidth).map(e => e.getAttribute('aria-label'))"))
    expect("the landmarks are the sections", SECTIONS, b.eval(
        "[...document.querySelectorAll('section[aria-labelledby], [role=region]')].map(e => e.id)"))
    b.scheme("dark", "print")
    expect("dark letters on paper", ["rgb(29, 36, 48)", "rgb(255, 255, 255)"], b.eval(
        "[getComputedStyle(document.body).color, getComputedStyle(document.querySelector("
        "'svg.flame .page')).fill]"))
    b.scheme("light", prefers_reduced_motion="reduce")
    expect("no motion", "auto", b.eval("getComputedStyle(document.documentElement)"
                                       ".scrollBehavior"))
    b.scheme("light", forced_colors="active")
    expect("bars and swatches keep their colour", 0, b.eval(
        "[...document.querySelectorAll('.swatch, .track i, .stack i')].filter(e => "
        "getComputedStyle(e).backgroundColor === getComputedStyle(document.body)"
        ".backgroundColor).length"))
    b.scheme("light")


def look(b, name):
    for wide, high in ((390, 844), (1280, 800), (1920, 1080)):
        for scheme in ("light", "dark"):
            b.size(wide, high)
            b.scheme(scheme)
            b.open(name + ".html")
            expect("%s %s at %d: no wider than the screen" % (name, scheme, wide), wide,
                   b.eval("document.documentElement.scrollWidth"))
            high_all = b.eval("document.documentElement.scrollHeight")
            b.size(wide, high_all)
            b.screenshot("%s-%s-%d.png" % (name, scheme, wide))
    b.size(1280, 800)


def read_json(name):
    with open(name, encoding="utf-8") as f:
        return json.load(f)


def read_page(b):
    report = read_json("report.json")
    b.open("page.html")
    expect("sections", SECTIONS, b.eval("[...document.querySelectorAll('main > section')]"
                                        ".map(s => s.id)"))
    expect("links lead to them", [], b.eval(
        "[...document.querySelectorAll('a')].filter(a => !document.querySelector("
        "a.getAttribute('href'))).map(a => a.href)"))
    read_numbers(b, report)
    read_heat(b, report)
    expect("time ends with the window", report["window"]["seconds"],
           b.eval(HEAT + ".edges.pop()") / 1e9)
    use_flame(b)
    read_names(b, sys.argv[2])
    b.scripts(False)
    b.open("page.html")
    b.screenshot("page-still.png")
    b.scripts(True)
    look(b, "page")
    fit(b)


def read_replay(b):
    b.open("replay.html")
    report = read_json("replay.json")
    read_numbers(b, report)
    read_heat(b, report)
    use_flame(b)


def read_empty(b):
    look(b, "empty")
    expect("an empty page has its sections", SECTIONS, b.eval(
        "[...document.querySelectorAll('main > section')].map(s => s.id)"))


if __name__ == "__main__":
    os.chdir(sys.argv[1])
    drive(1280, 800, read_page, read_replay, read_empty)

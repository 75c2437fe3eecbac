#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""flame_svg.py - uses the flame graph's pictures as a person would, in a real browser.

  flame_svg.py FOLDER: holds plain.svg, hostile.svg, diff.svg and page.html; screenshots go there.
"""
import sys

from devtools import Browser

failed = 0
FRAME = """(() => { const g = [...document.querySelectorAll('.frames g')].find(g => g.flame &&
    g.flame.shown && g.flame.name === %s && g.flame.depth === %d); const r = g.querySelector('rect')
    .getBoundingClientRect(); return [r.left, r.top, r.width, r.height]; })()"""
FOCUS = "(document.activeElement.flame || {name: document.activeElement.localName}).name"
SHOWN = "[...document.querySelectorAll('.frames g')].filter(g => !g.hasAttribute('display')).length"
TIP = """(() => { const t = document.querySelector('.tip'); return t.closest('foreignObject')
    .hasAttribute('display') ? '' : t.innerText; })()"""
SHARE = "document.querySelector('output').textContent"


def expect(name, wanted, got):
    global failed
    if wanted == got:
        print("ok", name)
    else:
        failed += 1
        print("not ok %s: expected %r got %r" % (name, wanted, got))


def box(b, name, depth=1):
    return b.eval(FRAME % ("'" + name + "'", depth))


def click(b, name, depth=1):
    x, y, w, h = box(b, name, depth)
    b.click(x + w / 2, y + h / 2)


def width(b, name, depth=1):
    return round(box(b, name, depth)[2])


# a: 100 of 400, half of it itself, b on top 50; c: 300, with b 100 and d_[k] 200 on top.
def use_mouse(b):
    b.open("plain.svg")
    expect("all frames are shown", 6, b.eval(SHOWN))
    expect("a quarter is a quarter wide", 294, width(b, "a"))
    x, y, w, h = box(b, "a")
    b.mouse("mouseMoved", x + w / 2, y + h / 2)
    expect("tooltip: name, time, share", "a\n100 ns, 25.00 %\nitself: 50 ns", b.eval(TIP))
    b.mouse("mouseMoved", 5, 5)
    expect("tooltip goes", "", b.eval(TIP))
    click(b, "c")
    expect("a click zooms", 1179, width(b, "c"))
    expect("and hides what is beside", 4, b.eval(SHOWN))
    expect("a third of it", 393, width(b, "b", 2))
    x, y, w, h = b.eval("(() => { const r = document.querySelector('button')"
                        ".getBoundingClientRect(); return [r.left, r.top, r.width, r.height]; })()")
    b.click(x + w / 2, y + h / 2)
    expect("the button resets", [6, 884], [b.eval(SHOWN), width(b, "c")])


def use_search(b):
    b.open("plain.svg")
    b.key("/")
    expect("/ goes to the search", "input", b.eval(FOCUS))
    b.type("b")
    expect("matched share", "matched 37.50 %", b.eval(SHARE))
    expect("frames that are marked", 2, b.eval("document.querySelectorAll('.hit').length"))
    click(b, "c")
    expect("matched share of what is zoomed", "matched 33.33 %", b.eval(SHARE))
    b.key("Escape")
    expect("Escape clears the search first", ["", 4], [b.eval(SHARE), b.eval(SHOWN)])
    b.key("Escape")
    expect("and resets the zoom then", 6, b.eval(SHOWN))
    b.key("f", control=True)
    b.type("^(a|d_)")
    expect("Ctrl-F, a regular expression", "matched 75.00 %", b.eval(SHARE))
    b.eval("document.querySelector('input').value = ''")
    b.type("d_[k")
    expect("what is no expression is text", "matched 50.00 %", b.eval(SHARE))


def use_keys(b):
    b.open("plain.svg")
    seen = []
    for _ in range(2):
        b.key("Tab")
        seen.append(b.eval(FOCUS))
    # The button is disabled while there is nothing to reset.
    expect("Tab: the search, then one frame", ["input", "all: 400 ns"], seen)
    b.eval("document.querySelector('.frames g').focus()")
    for key, wanted in (("ArrowUp", "a"), ("ArrowRight", "c"), ("ArrowUp", "b"),
                        ("ArrowRight", "d_[k]"), ("ArrowRight", "d_[k]"), ("ArrowLeft", "b"),
                        ("ArrowDown", "c")):
        b.key(key)
        expect(key, wanted, b.eval(FOCUS))
    expect("tooltip by keys", "c\n300 ns, 75.00 %", b.eval(TIP))
    b.key("Enter")
    expect("Enter zooms", [1179, "c"], [width(b, "c"), b.eval(FOCUS)])
    b.key("Escape")
    expect("Escape resets", 884, width(b, "c"))
    expect("roles for readers of the screen", ["tree", "treeitem", "3", "d_[k], 200 ns, 50.00 %"],
           b.eval("(() => { const g = document.querySelector('.frames g:last-child'); return ["
                  "g.parentNode.getAttribute('role'), g.getAttribute('role'),"
                  "g.getAttribute('aria-level'), g.getAttribute('aria-label')]; })()"))


def use_hostile(b):
    b.open("hostile.svg")
    expect("hostile names stay text", [0, 1], b.eval(
        "[document.querySelectorAll('.frames script, .frames img, .frames b').length,"
        "document.querySelectorAll('script').length]"))
    expect("and are shown", ["all: 900 ns", "\\x1b[31m;]]>", "<script>alert(1)</script>",
                             "cut\\xe2\\x82\"'&amp;"],
           b.eval("[...document.querySelectorAll('.frames g')].map(g => g.flame.name)"))
    click(b, "<script>alert(1)</script>")
    expect("and can be clicked", 2, b.eval(SHOWN))


def use_page(b):
    b.open("page.html")
    expect("two graphs in a page", 2, b.eval("document.querySelectorAll('svg.flame').length"))
    expect("as wide as their boxes", [600, 400], b.eval(
        "[...document.querySelectorAll('svg.flame')].map(s => s.getBoundingClientRect().width)"))
    click(b, "c")
    expect("a click zooms one of them", 7, b.eval(
        "[...document.querySelectorAll('.frames g')].filter(g => !g.hasAttribute('display')).length"
        "- 3"))
    expect("the page's own keys stay", "body", b.eval(
        "(() => { document.activeElement.blur(); dispatchEvent(new KeyboardEvent('keydown',"
        "{key: '/', bubbles: true})); return document.activeElement.localName; })()"))


def take_pictures(b):
    for wide, high in ((480, 800), (1200, 700), (1920, 1000)):
        for scheme in ("light", "dark"):
            b.size(wide, high)
            b.scheme(scheme)
            for name in ("plain", "diff"):
                b.open(name + ".svg")
                expect("%s %s at %d: nothing sticks out" % (name, scheme, wide), [wide, []], b.eval(
                    "[document.documentElement.getBoundingClientRect().width,"
                    "[...document.querySelectorAll('.frames rect, text, input, button')].filter("
                    "e => e.getBoundingClientRect().right > innerWidth).map(e => e.outerHTML)]"))
                b.screenshot("%s-%s-%d.png" % (name, scheme, wide))
    b.size(1200, 700)
    b.scripts(False)
    b.open("plain.svg")
    b.screenshot("plain-still.png")
    b.scripts(True)
    b.open("plain.svg")
    expect("background in the dark", "rgb(18, 22, 28)",
           b.eval("getComputedStyle(document.querySelector('.page')).fill"))


def main():
    import os
    os.chdir(sys.argv[1])
    b = Browser()
    try:
        b.size(1200, 700)
        for use in (use_mouse, use_search, use_keys, use_hostile, use_page, take_pictures):
            use(b)
        expect("nothing logged, thrown or fetched", [], b.faults)
    finally:
        b.close()
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""flame_svg.py - uses the flame graph's pictures as a person would, in a real browser.

  flame_svg.py FOLDER: holds plain.svg, hostile.svg, long.svg, diff.svg and page.html; screenshots
  go there.
"""
import os
import sys

from devtools import BOX, drive
from verdict import expect

FRAME = """[...document.querySelectorAll('.frames g')].find(g => g.flame && g.flame.shown &&
    g.flame.name === %s && g.flame.depth === %d).querySelector('rect')"""
FOCUS = """(e => e.localName === 'rect' ? e.parentNode.flame.name : e.localName)(
    document.activeElement)"""
PRESS = """(on => { const e = new KeyboardEvent('keydown', {key: 'f', ctrlKey: true, bubbles: true,
    cancelable: true}); on.dispatchEvent(e); return e.defaultPrevented; })(%s)"""
# The least contrast of a label with its frame, as WCAG counts it, over all classes and states.
CONTRAST = """(() => {
    const part = c => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    const light = c => 0.2126 * part(c[0]) + 0.7152 * part(c[1]) + 0.0722 * part(c[2]);
    const numbers = c => c.match(/[\\d.]+/g).map(Number), g = document.querySelector(
        '.frames g:last-child'), rect = g.querySelector('rect'), text = g.querySelector('text');
    const page = numbers(getComputedStyle(document.querySelector('.page')).fill), bad = [];
    for (const state of ['', 'over', 'searching', 'hit'])
        for (const name of %s) {
            g.setAttribute('class', name + ' ' + state);
            g.ownerSVGElement.classList.toggle('searching', state === 'searching' ||
                state === 'hit');
            const style = getComputedStyle(rect), fill = numbers(style.fill).map((c, i) =>
                c * style.opacity + page[i] * (1 - style.opacity));
            const a = light(fill), b = light(numbers(getComputedStyle(text).fill));
            const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
            if (contrast < 4.5)
                bad.push([name, state, contrast.toFixed(2)]);
        }
    return bad;
})()"""
SHOWN = "[...document.querySelectorAll('.frames g')].filter(g => !g.hasAttribute('display')).length"
TIP = """(() => { const t = document.querySelector('.tip'); return t.closest('foreignObject')
    .hasAttribute('display') ? '' : t.innerText; })()"""
SHARE = "document.querySelector('output').textContent"


def box(b, name, depth=1):
    return b.eval(BOX % (FRAME % ("'" + name + "'", depth)))


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
    x, y, w, h = b.eval(BOX % "document.querySelector('button')")
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
    expect("Ctrl-F in the search is the browser's", [False, True],
           [b.eval(PRESS % on) for on in ("document.querySelector('input')", "document")])
    b.eval("document.querySelector('input').select()")
    b.type("^b$")
    starts = []
    for _ in range(3):
        b.key("Enter")
        starts.append(b.eval("document.activeElement.parentNode.flame.start"))
        b.key("/")
    expect("Enter goes from match to match", [0, 100, 0], starts)
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
    b.eval("document.querySelector('.frames rect').focus()")
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
           b.eval("(() => { const g = document.querySelector('.frames g:last-child rect'); return ["
                  "g.closest('.frames').getAttribute('role'), g.getAttribute('role'),"
                  "g.getAttribute('aria-level'), g.getAttribute('aria-label')]; })()"))


def use_address(b):
    b.open("plain.svg")
    for name in ("c", "b"):
        click(b, name, 1 + (name == "b"))
    b.eval("history.back()")
    expect("Back undoes the last zoom", [4, 1179], [b.eval(SHOWN), width(b, "c")])
    b.eval("history.back()")
    expect("and the one before", [6, ""], [b.eval(SHOWN), b.eval("location.hash")])
    click(b, "c")
    b.key("/")
    b.type("d_[k")
    address = b.eval("location.hash")
    b.open("hostile.svg")
    b.open("plain.svg" + address)
    expect("an address leads to what was seen", [4, "matched 66.67 %"],
           [b.eval(SHOWN), b.eval(SHARE)])
    b.open("hostile.svg")
    b.open("plain.svg#zoom=x&search=%5B")
    expect("a strange one does no harm", [6, "matched 50.00 %"], [b.eval(SHOWN), b.eval(SHARE)])


def use_finger(b):
    b.size(390, 844, 2, mobile=True)
    b.open("plain.svg")
    expect("a phone gets letters of full size", [390, 369], [b.eval("visualViewport.width"), round(
        b.eval("document.querySelector('.frames rect').getBoundingClientRect().width"))])
    x, y, w, h = box(b, "c")
    b.tap(x + w / 2, y + h / 2)
    expect("a tap zooms and tells", [4, "c\n300 ns, 75.00 %"], [b.eval(SHOWN), b.eval(TIP)])
    b.open("diff.svg")
    click(b, "c")
    expect("a difference can be used, whatever is in it", 4, b.eval(SHOWN))
    expect("legend and notes fit", [], b.eval(
        "[...document.querySelectorAll('.below *')].filter(e => e.getBoundingClientRect().right"
        " > innerWidth).map(e => e.outerHTML)"))
    b.size(1200, 700)


# Names of 5,000 characters, at every corner.
def use_long_names(b):
    for wide, high in ((390, 500), (1200, 700)):
        b.size(wide, high)
        b.open("long.svg")
        for i in range(4):
            left, top, right, bottom = b.eval(
                "(r => [r.left, r.top, r.right, r.bottom])(document.querySelectorAll("
                "'.frames rect')[%d].getBoundingClientRect())" % i)
            for x in (left + 1, right - 1):
                b.mouse("mouseMoved", x, (top + bottom) / 2)
                expect("tooltip %d stays in a window of %d" % (i, wide), True, b.eval(
                    "(r => r.left >= 0 && r.top >= 0 && r.right <= innerWidth && r.bottom <= "
                    "innerHeight)(document.querySelector('.tip').getBoundingClientRect())"))


def read_colours(b):
    plain = [k + str(i) for k, n in (("u", 8), ("k", 4), ("j", 3), ("s", 1)) for i in range(n)]
    diff = ["d0"] + [k + str(i) for k in "lm" for i in range(1, 7)]
    for scheme in ("light", "dark"):
        b.scheme(scheme)
        for name, classes in (("plain", plain), ("diff", diff)):
            b.open(name + ".svg")
            expect("%s %s: labels have contrast" % (name, scheme), [],
                   b.eval(CONTRAST % classes))
    b.open("plain.svg")
    b.scheme("dark", "print")
    expect("on paper: white, scaled, without buttons", ["rgb(255, 255, 255)", "0 0 1200", "none"],
           b.eval("[getComputedStyle(document.querySelector('.page')).fill, document"
                  ".documentElement.getAttribute('viewBox').split(' ', 3).join(' '),"
                  "getComputedStyle(document.querySelector('foreignObject')).display]"))
    b.scheme("light")


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


if __name__ == "__main__":
    os.chdir(sys.argv[1])
    drive(1200, 700, use_mouse, use_search, use_keys, use_address, use_finger, use_long_names,
          read_colours, use_hostile, use_page, take_pictures)

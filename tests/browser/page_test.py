#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The HTML report in a real browser: what it draws, what it answers to, and what it refuses.

usage: page_test.py WRITER [--gtest_filter=PATTERN] [--gtest_output=json:FILE]
WRITER is the program waitclose_pages, which writes the pages. Options and reports are those of GoogleTest.
"""

import pathlib
import re
import statistics
import sys
import time

import chromium
from harness import Skipped, main, test

HOLDS = (0, 1, 300, 20000)
HOSTILE = ["<script>alert(1)</script>", "</style></script>", r"\e]0;owned\x07", r"\xff\xfe invalid \xc3", r"a;b\nc\rd\te 7",
           'quote" back\\slash', r"\u202e override", r"nul\x00inside", "/sys/fs/cgroup/" + 10240 * "c", "", "\U0001f525 fire"]
WIDTHS = (480, 1000, 1600)


class Pages:
    """The written pages, and one browser to look at them."""

    def __init__(self, directory, browser):
        self.directory, self.browser = pathlib.Path(directory), browser

    def path(self, name):
        return self.directory / f"{name}.html"

    def all(self):
        return sorted(path.stem for path in self.directory.glob("*.html"))

    def show(self, name, **size):
        return self.browser.show(self.path(name), **size)


def range_shown(browser):
    return browser.run("document.getElementById('range').textContent")


def text_of(browser, selector):
    return browser.run(f"document.querySelector('{selector}')?.textContent ?? ''")


def visible(browser, selector):
    return browser.run(f"(document.querySelector('{selector}')?.getClientRects().length ?? 0) > 0")


def in_sight(browser, selector):
    browser.run(f"document.querySelector('{selector}').scrollIntoView({{block: 'center'}})")
    browser.frame()
    return browser.box(selector)


def colours(browser, selector):
    """How many pixels of a canvas have each colour."""
    return browser.run(f"""(() => {{
        const canvas = document.querySelector('{selector}');
        const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
        const counts = {{}};
        for (let i = 0; i < data.length; i += 4) {{
            const key = [data[i], data[i + 1], data[i + 2], data[i + 3]].join();
            counts[key] = (counts[key] ?? 0) + 1;
        }}
        return counts; }})()""")


def complaints(browser):
    """Whatever the browser had to say against a page."""
    said = [event["exceptionDetails"].get("exception", {}).get("description", "exception")
            for event in browser.told("Runtime.exceptionThrown")]
    said += [f"console.{event['type']}" for event in browser.told("Runtime.consoleAPICalled")]
    said += [event["entry"]["text"] for event in browser.told("Log.entryAdded")]
    said += [event["issue"]["code"] for event in browser.told("Audits.issueAdded")]
    said += ["a dialog" for _ in browser.told("Page.javascriptDialogOpening")]
    return said


def requests(browser):
    return [event["request"]["url"] for event in browser.told("Network.requestWillBeSent")]


def use(pages, browser):
    """Touches everything there is on a page."""
    for selector in ("#groups tbody tr", "#zoom-in", "#zoom-out", "#flame-by", "#theme", "#theme", "#holds tbody tr", "#help-button"):
        if visible(browser, selector):
            browser.click_on(selector)
        browser.key("Escape")
        browser.key("Escape")
    for box in ("#timeline", "#flame"):
        if not visible(browser, box):
            continue
        left, top, width, height = in_sight(browser, box)
        for part in (0.02, 0.3, 0.6, 0.98):
            browser.move(left + width * part, top + height * part)
        browser.run(f"document.querySelector('{box}').focus()")
        for key in ("ArrowDown", "ArrowDown", "ArrowRight", "+", "-", "Enter", "Escape", "Home", "0"):
            browser.key(key)


# ---- loading ------------------------------------------------------------------------------------------------


@test
def every_page_is_quiet_and_asks_for_nothing(pages, browser):
    for name in pages.all():
        pages.show(name)
        use(pages, browser)
        assert complaints(browser) == [], f"{name}: {complaints(browser)[:3]}"
        assert requests(browser) == [f"file://{pages.path(name)}"], f"{name}: {requests(browser)}"


@test
def what_a_page_must_not_do_would_be_seen(pages, browser):
    noisy = pages.directory / "noisy.html"
    page = pages.path("empty").read_text()
    policy = re.search(r"<meta http-equiv=.*?>", page)[0]
    noisy.write_text(page.replace(policy, "").replace("</body>", "<img src='http://127.0.0.1:9/x.png'>"
                                                      "<script>console.log(1); setTimeout(() => { throw 1; })</script>"))
    try:
        browser.show(noisy)
        assert "http://127.0.0.1:9/x.png" in requests(browser)
        assert {"console.log", "1"} <= set(complaints(browser)), complaints(browser)
        noisy.write_text(page.replace("</body>", "<script>window.intruder = 1</script>"))
        browser.show(noisy)
        assert "ContentSecurityPolicyIssue" in complaints(browser), complaints(browser)
    finally:
        noisy.unlink()


@test
def only_its_own_program_runs(pages, browser):
    pages.show("shop-1")
    assert browser.run("""new Promise((done) => {
        document.addEventListener('securitypolicyviolation', (event) => done(event.effectiveDirective));
        const script = document.createElement('script');
        script.textContent = 'window.intruder = 1';
        document.body.append(script);
        setTimeout(() => done('nothing was refused'), 2000); })""") == "script-src-elem"
    assert browser.run("typeof window.intruder") == "undefined"
    blocked = browser.run("""new Promise((done) => {
        const blocked = [];
        document.addEventListener('securitypolicyviolation', (event) => {
            blocked.push(event.effectiveDirective);
            if (blocked.length === 4) done(blocked.sort().join());
        });
        const image = document.createElement('img');
        image.src = 'http://127.0.0.1:9/x.png';
        const styled = document.createElement('div');
        styled.setAttribute('style', 'color: red');
        const button = document.createElement('button');
        button.setAttribute('onclick', 'window.intruder = 1');
        document.body.append(image, styled, button);
        button.click();
        fetch('http://127.0.0.1:9/').catch(() => 0);
        setTimeout(() => done(blocked.sort().join()), 2000); })""")
    assert blocked == "connect-src,img-src,script-src-attr,style-src-attr", blocked
    assert browser.run("typeof window.intruder") == "undefined"


@test
def a_changed_program_does_not_run(pages, browser):
    changed = pages.directory / "changed.html"
    page = pages.path("shop-1").read_text()
    assert page.count("'use strict';") == 1
    changed.write_text(page.replace("'use strict';", "'use strict'; "))
    try:
        browser.show(changed)
        assert text_of(browser, "#groups") == ""
        assert "were held in CLOSE_WAIT" in text_of(browser, "#story"), "the story needs no program"
    finally:
        changed.unlink()


@test
def hostile_names_are_text(pages, browser):
    for number, name in enumerate(HOSTILE):
        pages.show(f"hostile-{number}")
        assert [name] * 3 == browser.run("[...document.querySelectorAll('#story p')].map((p) => p.textContent)")
        browser.click_on("#holds tbody tr")
        for place in ("#where", "#losses", "#groups", "#holds", "#detail"):
            assert name in text_of(browser, place), f"{name[:40]!r} is not in {place}"
        assert browser.run("document.title") == " ".join(f"waitclose: {name}".split())
        browser.key("Escape")
        for box in ("#lanes", "#flame canvas"):
            left, top, width, height = in_sight(browser, box)
            for part in (0.1, 0.5, 0.9):
                browser.move(left + width * part, top + height * part)
        assert browser.run("document.scripts.length") == 2
        assert browser.run("document.querySelectorAll('style').length") == 1
        assert complaints(browser) == []


@test
def nothing_is_wider_than_the_window(pages, browser):
    for name in [f"shop-{holds}" for holds in HOLDS] + ["empty"] + [f"hostile-{i}" for i in range(len(HOSTILE))]:
        for width in WIDTHS:
            pages.show(name, width=width)
            assert browser.run("document.documentElement.scrollWidth") <= width, f"{name} at {width}"


@test
def an_empty_recording_says_so(pages, browser):
    for name in ("empty", "shop-0"):
        pages.show(name)
        assert visible(browser, "#no-groups")
        for selector in ("#finder", "#flame", "#holds", "#numbers"):
            assert not visible(browser, selector), f"{selector} is shown in {name}"


# ---- the timeline -------------------------------------------------------------------------------------------


@test
def the_timeline_draws(pages, browser):
    for holds in HOLDS[1:]:
        for dark in (False, True):
            pages.show(f"shop-{holds}", dark=dark)
            found = colours(browser, "#lanes")
            assert len(found) > 40, f"{len(found)} colours with {holds} holds"
            assert sum(count for key, count in found.items() if not key.endswith(",0")) > 30000
            assert len(colours(browser, "#axis")) > 3


@test
def wheel_keys_buttons_and_the_clock_zoom(pages, browser):
    pages.show("shop-300")
    left, top, width, height = in_sight(browser, "#lanes")
    whole = range_shown(browser)
    assert whole == "20:00:00.000 to 20:01:00.000, 1 min 0 s", whole
    seen = {whole}

    def changed():
        browser.frame()
        assert range_shown(browser) not in seen, range_shown(browser)
        seen.add(range_shown(browser))

    before = colours(browser, "#lanes")
    browser.wheel(left + width * 0.7, top + 40, -120, control=True)
    changed()
    assert colours(browser, "#lanes") != before
    browser.run("document.getElementById('timeline').focus()")
    for key in ("+", "ArrowRight", "ArrowLeft", "-"):
        browser.key(key)
        browser.frame()
        if key in "+-" or key == "ArrowRight":
            changed()
    browser.drag((left + width * 0.6, top + 40), (left + width * 0.5, top + 40))
    changed()
    browser.key("0")
    assert range_shown(browser) == whole
    browser.key("Home")
    changed()
    browser.key("0")
    axis = browser.box("#axis")
    browser.drag((axis[0] + width * 0.5, axis[1] + 10), (axis[0] + width * 0.75, axis[1] + 10))
    changed()
    browser.click_on("#zoom-all")
    assert range_shown(browser) == whole
    browser.click_on("#zoom-in")
    changed()


@test
def it_zooms_down_to_a_microsecond_and_back(pages, browser):
    pages.show("shop-300")
    browser.run("document.getElementById('timeline').focus()")
    for _ in range(60):
        browser.key("+")
    assert re.search(r", 1(\.0)? µs$", range_shown(browser)), range_shown(browser)
    for _ in range(70):
        browser.key("-")
    assert range_shown(browser).endswith("1 min 14 s"), range_shown(browser)
    assert complaints(browser) == []


@test
def a_hold_is_explained_with_its_chain(pages, browser):
    pages.show("shop-300")
    browser.click_on("#search")
    for letter in "cause:handler-blocked is:open":
        browser.key(letter)
    time.sleep(0.3)
    browser.frame()
    browser.run("document.getElementById('timeline').focus()")
    for _ in range(12):
        browser.key("ArrowDown")
        if "handler-blocked port" in text_of(browser, "#timeline-says"):
            break
    browser.key(" ")
    browser.key("ArrowDown")
    assert "waits for a mutex" in text_of(browser, "#timeline-says")
    browser.key("Enter")
    assert visible(browser, "#detail")
    said = text_of(browser, "#detail")
    for part in ("Wait chain", "lock", "auditor (4190)", "fdatasync", "Evidence", "its FIN was read", "What to do", "disk-pressure"):
        assert part in said, f"{part!r} is not in {said!r}"
    browser.key("Escape")
    assert not visible(browser, "#detail")
    assert browser.run("document.activeElement.id") == "timeline"


@test
def hints_stay_in_the_window(pages, browser):
    for width in WIDTHS:
        for name in ("shop-300", "hostile-8"):
            pages.show(name, width=width, height=700)
            for box in ("#lanes", "#flame canvas"):
                left, top, wide, high = in_sight(browser, box)
                for x, y in ((2, 2), (wide - 3, 2), (2, high - 3), (wide - 3, high - 3), (wide / 2, high / 2)):
                    browser.move(min(left + x, width - 2), min(max(top + y, 1), 698))
                    if not visible(browser, "#tip"):
                        continue
                    tip = browser.box("#tip")
                    assert tip[0] >= 0 and tip[1] >= 0 and tip[0] + tip[2] <= width and tip[1] + tip[3] <= 700, f"{name} {width} {tip}"


# ---- finding ------------------------------------------------------------------------------------------------


@test
def search_and_filters_find(pages, browser):
    pages.show("shop-300")
    assert text_of(browser, "#found") == "300 holds"
    browser.key("/")
    assert browser.run("document.activeElement.id") == "search"
    for letter in "port:8443":
        browser.key(letter)
    time.sleep(0.3)
    assert text_of(browser, "#found") == "72 of 300 holds"
    assert browser.run("[...document.querySelectorAll('#holds tbody tr')].every((row) => row.textContent.includes(':8443'))")
    for letter in " -is:open":
        browser.key(letter)
    time.sleep(0.3)
    ended = int(text_of(browser, "#found").split()[0])
    assert 0 < ended < 72
    browser.key("Escape")
    assert text_of(browser, "#found") == "300 holds"
    browser.click_on("#causes button")
    assert text_of(browser, "#found") == "138 of 300 holds"
    assert browser.run("document.querySelector('#causes button').getAttribute('aria-pressed')") == "true"
    browser.click_on("#causes button")
    assert text_of(browser, "#found") == "300 holds"
    browser.click_on("#groups tbody tr")
    assert text_of(browser, "#found") == "138 of 300 holds" and visible(browser, "#detail")
    browser.key("Escape")
    browser.key("Escape")
    browser.key("/")
    for letter in "no such thing":
        browser.key(letter)
    time.sleep(0.3)
    assert text_of(browser, "#found") == "0 of 300 holds"
    assert complaints(browser) == []


@test
def the_flame_graph_answers(pages, browser):
    pages.show("shop-300")
    left, top, width, _ = in_sight(browser, "#flame canvas")
    assert len(colours(browser, "#flame canvas")) > 10
    whole = text_of(browser, "#flame-path")
    assert whole.startswith("all holds: ") and whole.endswith(" held in 300 holds"), whole
    browser.click(left + 20, top + 2.5 * 22)
    assert text_of(browser, "#flame-path").startswith("all holds › orders (4121) › eof-ignored: ")
    browser.click_on("#flame-all")
    assert text_of(browser, "#flame-path") == whole
    browser.run("document.getElementById('flame').focus()")
    for key in ("ArrowDown", "ArrowDown", "ArrowRight", "Enter"):
        browser.key(key)
    assert text_of(browser, "#flame-path").startswith("all holds › orders (4121) › handler-blocked: ")
    browser.key("Backspace")
    browser.key("Backspace")
    assert text_of(browser, "#flame-path") == whole
    browser.click_on("#flame-by")
    assert text_of(browser, "#flame-path") == "all holds: 300 holds"


@test
def holds_are_sorted_and_more_are_shown(pages, browser):
    pages.show("shop-20000")
    rows = "document.querySelectorAll('#holds tbody tr').length"
    assert browser.run(rows) == 50
    browser.click_on("#more")
    assert browser.run(rows) == 300
    browser.click_on("#holds [data-by=owner]")
    assert browser.run("document.querySelector('#holds th[aria-sort]').textContent") == "Owner ▴"
    assert "cart-worker" in text_of(browser, "#holds tbody tr")


# ---- for everyone, and on paper -----------------------------------------------------------------------------


@test
def every_control_has_a_name_and_shows_its_focus(pages, browser):
    pages.show("shop-300")
    nodes = browser.ask("Accessibility.getFullAXTree")["nodes"]
    for node in nodes:
        if node.get("ignored") or node["role"].get("value") not in ("button", "searchbox", "textbox", "application", "table"):
            continue
        assert node["name"].get("value"), f"a {node['role']['value']} has no name"
    reached = set()
    for _ in range(30):
        browser.key("Tab")
        reached.add(browser.run("document.activeElement.id || document.activeElement.tagName"))
        assert browser.run("getComputedStyle(document.activeElement).outlineStyle") != "none"
    assert {"theme", "help-button", "TR", "search", "zoom-in", "timeline", "flame"} <= reached, reached
    browser.key("?")
    assert "Backspace" in text_of(browser, "#help") and visible(browser, "#help")


@test
def light_and_dark_follow_the_reader(pages, browser):
    paper = "getComputedStyle(document.documentElement).backgroundColor"
    pages.show("shop-1")
    light = browser.run(paper)
    browser.click_on("#theme")
    dark = browser.run(paper)
    assert dark != light
    pages.show("shop-1", dark=True)
    assert browser.run(paper) == dark


@test
def it_prints(pages, browser):
    for holds in HOLDS:
        pages.show(f"shop-{holds}", dark=True)
        browser.run("window.addEventListener('beforeprint', () => { setTimeout(() => 0); window.printed = "
                    "document.documentElement.dataset.theme + document.getElementById('lanes').style.width; })")
        pdf = browser.pdf()
        assert pdf.startswith(b"%PDF") and len(pdf) > 20000
        sheets = len(re.findall(rb"/Type\s*/Page\b", pdf))
        assert 1 <= sheets <= 8, f"{sheets} sheets with {holds} holds"
        assert browser.run("window.printed") == "light700px"
        browser.frame()
        assert browser.run("document.documentElement.dataset.theme") == "dark"
        assert complaints(browser) == []


# ---- many holds ---------------------------------------------------------------------------------------------


@test
def twenty_thousand_holds_load_and_answer(pages, browser):
    took = min(pages.show("shop-20000", width=1600, height=1000) for _ in range(3))
    frames = browser.run("""(async () => {
        const box = document.getElementById('timeline');
        const spot = document.getElementById('axis').getBoundingClientRect();
        const took = [];
        for (let i = 0; i < 40; i++) {
            const options = { ctrlKey: true, deltaY: i % 20 < 12 ? -100 : 100, clientX: spot.left + 900, bubbles: true, cancelable: true };
            const began = performance.now();
            box.dispatchEvent(new WheelEvent('wheel', options));
            // The page has asked for its frame before this does.
            await new Promise((done) => requestAnimationFrame((frame) => {
                took.push(performance.now() - Math.max(frame, began));
                done();
            }));
        }
        return took; })()""")
    search = browser.run("""(() => {
        const field = document.getElementById('search');
        const began = performance.now();
        document.querySelector('#causes button').click();
        return performance.now() - began; })()""")
    size = pages.path("shop-20000").stat().st_size
    print(f"    20,000 holds: {size / 1e6:.1f} MB, loaded in {took:.2f} s, frames when zooming {statistics.median(frames):.1f} ms "
          f"(at most {max(frames):.1f} ms), filtered in {search:.0f} ms")
    assert size < 6e6
    assert took < 5
    assert statistics.median(frames) < 50
    assert search < 1000
    assert "2,000 of 20,000 holds" in text_of(browser, "#left-out")


@test
def a_large_group_opens(pages, browser):
    pages.show("shop-20000", width=1600, height=1000)
    browser.run("document.getElementById('timeline').focus()")
    for _ in range(12):
        browser.key("ArrowDown")
        if "9,200 × eof-ignored" in text_of(browser, "#timeline-says"):
            break
    began = time.monotonic()
    browser.key(" ")
    assert time.monotonic() - began < 2
    assert browser.run("document.getElementById('spacer').offsetHeight") > 9200 * 10
    browser.run("document.getElementById('scroller').scrollTop = 90000")
    browser.frame()
    assert len(colours(browser, "#lanes")) > 10
    assert complaints(browser) == []


def prepare(directory):
    if chromium.program() is None:
        raise Skipped("no Chromium is installed (Debian package chromium)")
    return Pages(directory, chromium.Chromium())


if __name__ == "__main__":
    sys.exit(main(prepare, [str(holds) for holds in HOLDS]))

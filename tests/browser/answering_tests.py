# SPDX-License-Identifier: BSD-2-Clause
"""What a page draws, and how it answers to a reader."""

import re
import time

from harness import test
from looking import HOLDS, WIDTHS, colours, complaints, in_sight, range_shown, text_of, visible


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
def causes_are_counted_among_what_is_looked_for(pages, browser):
    pages.show("shop-300")
    numbers = "[...document.querySelectorAll('#causes button')].map((one) => Number(one.lastElementChild.textContent))"
    everything = browser.run(numbers)
    assert sum(everything) == 300 and everything[0] == 138, everything
    browser.key("/")
    for letter in "port:8443":
        browser.key(letter)
    time.sleep(0.3)
    found = browser.run(numbers)
    assert sum(found) == 72 and found[0] == 0, found
    # One that is chosen narrows what was found, and the others keep their numbers.
    browser.click_on("#causes button:nth-child(2)")
    assert text_of(browser, "#found") == "72 of 300 holds"
    assert browser.run("document.getElementById('search').value") == "port:8443 cause:handler-blocked"
    assert browser.run(numbers) == found
    browser.click_on("#causes button:nth-child(1)")
    assert text_of(browser, "#found") == "0 of 300 holds"
    assert browser.run("[...document.querySelectorAll('#causes button[aria-pressed=true]')].length") == 1
    browser.key("Escape")
    assert browser.run(numbers) == everything


def look_for(browser, words):
    browser.key("/")
    for letter in words:
        browser.key(letter)
    time.sleep(0.3)


@test
def the_groups_follow_what_is_looked_for(pages, browser):
    pages.show("shop-300")
    rows = """[...document.querySelectorAll('#groups tbody tr')].filter((row) => !row.hidden)
        .map((row) => row.firstChild.textContent)"""
    everything = browser.run(rows)
    look_for(browser, "port:8443")
    found = browser.run(rows)
    assert 0 < len(found) < len(everything), (found, everything)
    assert sum(int(text.split()[0].replace(",", "")) for text in found) == 72, found
    browser.click_on("#groups tbody tr:not([hidden])")
    assert browser.run(rows) == everything, "to choose one hides no other"
    assert complaints(browser) == []


@test
def whoever_closed_it_is_found(pages, browser):
    pages.show("shop-300")
    tid, of_that = browser.run("""(() => {
        const { holds, threads } = JSON.parse(document.getElementById('data').textContent);
        const closer = holds.closer.find((one) => one >= 0);
        const has = (at) => [holds.thread[at], holds.closer[at]].some((one) => one >= 0 && threads[one].tid === threads[closer].tid);
        return [threads[closer].tid, holds.closer.filter((one, at) => has(at)).length]; })()""")
    look_for(browser, f"tid:{tid}")
    assert text_of(browser, "#found") == f"{of_that} of 300 holds"


@test
def a_process_stays_open_while_something_is_looked_for(pages, browser):
    pages.show("shop-300")
    browser.click_on("#causes button:nth-child(2)")
    left, top, _, _ = in_sight(browser, "#lanes")
    height = browser.run("document.getElementById('spacer').offsetHeight")
    machine = 2 * 34  # its two numbers are above the first process
    browser.click(left + 40, top + machine + 12)
    assert text_of(browser, "#timeline-says").startswith("orders (4121): ")
    assert browser.run("document.getElementById('spacer').offsetHeight") == height
    browser.run("document.getElementById('timeline').focus()")
    browser.key(" ")
    assert browser.run("document.getElementById('spacer').offsetHeight") < height
    left, top, _, _ = in_sight(browser, "#lanes")
    browser.click(left + 40, top + machine + 12)
    assert browser.run("document.getElementById('spacer').offsetHeight") == height


@test
def the_oldest_of_a_group_is_at_least_that_old(pages, browser):
    pages.show("shop-300")
    oldest = browser.run("[...document.querySelectorAll('#groups tbody td.last')].map((one) => one.textContent)")
    bounds = browser.run("""(() => {
        const { group, exact } = JSON.parse(document.getElementById('data').textContent).holds;
        return new Set(group.filter((one, at) => !exact[at])).size; })()""")
    assert bounds > 0 and sum(text.startswith("≥ ") for text in oldest) == bounds, (oldest, bounds)


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

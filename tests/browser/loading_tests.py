# SPDX-License-Identifier: BSD-2-Clause
"""What a page does when it is opened, and what it must never do."""

import re

from harness import test
from looking import HOLDS, WIDTHS, complaints, in_sight, requests, text_of, use, visible

HOSTILE = ["<script>alert(1)</script>", "</style></script>", r"\e]0;owned\x07", r"\xff\xfe invalid \xc3", r"a;b\nc\rd\te 7",
           'quote" back\\slash', r"\u202e override", r"nul\x00inside", "/sys/fs/cgroup/" + 10240 * "c", "", "\U0001f525 fire"]


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

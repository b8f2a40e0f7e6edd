# SPDX-License-Identifier: BSD-2-Clause
"""What the tests of the page share: the pages, and ways to look at them."""

import pathlib

HOLDS = (0, 1, 300, 20000)
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

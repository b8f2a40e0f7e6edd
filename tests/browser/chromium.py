# SPDX-License-Identifier: BSD-2-Clause
"""A headless Chromium, driven by its own protocol over two pipes: no port, no driver, no other package."""

import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "chrome")
KEYS = {"Enter": 13, "Escape": 27, "Backspace": 8, "Tab": 9, " ": 32, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39,
        "ArrowDown": 40, "Home": 36}


def program():
    """The path of a Chromium, or None."""
    return next((found for name in PROGRAMS if (found := shutil.which(name))), None)


class Refused(Exception):
    """The browser could not do what it was asked."""


class Chromium:
    """One browser with one page."""

    def __init__(self, patience=60):
        self.patience = patience
        self.directory = tempfile.mkdtemp(prefix="waitclose-chromium.")
        self.number, self.events, self.received = 0, [], b""
        to_browser, self.out = os.pipe()
        self.back, from_browser = os.pipe()
        # The browser reads descriptor 3 and writes descriptor 4.
        high = [os.dup(to_browser), os.dup(from_browser)]
        arguments = [program(), "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                     "--remote-debugging-pipe", "--no-first-run", "--disable-extensions", "--disable-background-networking",
                     "--disable-component-update", "--force-device-scale-factor=1", "--hide-scrollbars",
                     f"--user-data-dir={self.directory}", "about:blank"]
        self.log = open(os.path.join(self.directory, "log"), "wb")
        self.process = subprocess.Popen(
            ["/bin/sh", "-c", f'exec "$@" 3<&{high[0]} 4>&{high[1]}', "sh", *arguments], pass_fds=high,
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
            env={**os.environ, "HOME": self.directory, "XDG_RUNTIME_DIR": self.directory})
        for descriptor in (to_browser, from_browser, *high):
            os.close(descriptor)
        self.session = None
        try:
            self.attach()
        except BaseException:
            self.close()
            raise

    def attach(self):
        """Opens the one page there is."""
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network", "Audits"):
            self.ask(f"{domain}.enable")

    def close(self):
        """Ends the browser, and only it."""
        os.close(self.out)
        os.close(self.back)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    # ---- the protocol ---------------------------------------------------------------------------------------

    def receive(self, until):
        """The next message, or None when none came in time."""
        while b"\0" not in self.received:
            left = until - time.monotonic()
            if left <= 0 or not select.select([self.back], [], [], left)[0]:
                return None
            piece = os.read(self.back, 1 << 16)
            if not piece:
                raise Refused("the browser ended")
            self.received += piece
        message, self.received = self.received.split(b"\0", 1)
        return json.loads(message)

    def ask(self, method, **parameters):
        """Sends one command and returns its result. What the browser tells meanwhile is kept in `events`."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.out, data):]
        until = time.monotonic() + self.patience
        while (answer := self.receive(until)) is not None:
            if answer.get("id") != self.number:
                self.events.append(answer)
                continue
            if "error" in answer:
                raise Refused(f"{method}: {answer['error']['message']}")
            return answer["result"]
        raise Refused(f"{method}: no answer within {self.patience} s")

    # ---- a page ---------------------------------------------------------------------------------------------

    def show(self, path, width=1000, height=800, dark=False):
        """Opens a file and waits until it is loaded and drawn; returns the seconds that took."""
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.ask("Emulation.setEmulatedMedia", media="",
                 features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        self.ask("Page.navigate", url="about:blank")
        self.events.clear()
        began = time.monotonic()
        self.ask("Page.navigate", url=f"file://{path}")
        while self.run("document.readyState + location.protocol") != "completefile:":
            if time.monotonic() - began > self.patience:
                raise Refused("the page does not load")
            time.sleep(0.02)
        self.frame()
        return time.monotonic() - began

    def run(self, expression):
        """The value of an expression in the page, awaited."""
        result = self.ask("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            details = result["exceptionDetails"]
            raise Refused(details.get("exception", {}).get("description", details["text"]))
        return result["result"].get("value")

    def frame(self):
        """Waits until the page was drawn twice."""
        self.run("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))")

    def told(self, method):
        """What the browser said about that since the page was opened."""
        self.run("1")
        return [event["params"] for event in self.events if event.get("method") == method]

    # ---- what a reader does ---------------------------------------------------------------------------------

    def box(self, selector):
        """Where an element is: left, top, width, height."""
        return self.run(f"(() => {{ const b = document.querySelector({json.dumps(selector)}).getBoundingClientRect(); "
                        "return [b.left, b.top, b.width, b.height]; })()")

    def mouse(self, kind, x, y, **more):
        self.ask("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)

    def move(self, x, y):
        self.mouse("mouseMoved", x, y)

    def click(self, x, y):
        self.drag((x, y), (x, y))

    def drag(self, start, end):
        self.move(*start)
        self.mouse("mousePressed", *start, button="left", buttons=1, clickCount=1)
        if start != end:
            self.mouse("mouseMoved", *end, button="left", buttons=1)
        self.mouse("mouseReleased", *end, button="left", clickCount=1)
        self.frame()

    def click_on(self, selector):
        """In its middle, where it is in sight."""
        self.run(f"document.querySelector({json.dumps(selector)}).scrollIntoView({{block: 'center'}})")
        left, top, width, height = self.box(selector)
        self.click(left + width / 2, top + height / 2)

    def wheel(self, x, y, delta, control=False):
        self.mouse("mouseWheel", x, y, deltaX=0, deltaY=delta, modifiers=2 if control else 0)
        self.frame()

    def key(self, key):
        """One key pressed and let go."""
        code = KEYS.get(key, ord(key[0]))
        text = "\r" if key == "Enter" else key if len(key) == 1 else ""
        common = {"key": key, "windowsVirtualKeyCode": code, "code": key if len(key) > 1 else ""}
        self.ask("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", text=text, **common)
        self.ask("Input.dispatchKeyEvent", type="keyUp", **common)
        self.frame()

    def screenshot(self, path, whole=False):
        """As PNG; of the whole page, or of what is in sight."""
        picture = self.ask("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        with open(path, "wb") as file:
            file.write(base64.b64decode(picture["data"]))

    def pdf(self):
        """The page as it is printed, as bytes."""
        return base64.b64decode(self.ask("Page.printToPDF", preferCSSPageSize=True, printBackground=True)["data"])

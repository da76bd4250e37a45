"""The editor in a real browser: the command as a person runs it, and Debian's chromium."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PATIENCE = 600_000  # milliseconds; against hanging, no measure of speed
_NAMES = ("chromium", "chromium-browser", "google-chrome")
# Notes when strokes and strengths are sent, and when what they change is on the screen.
_CLOCK = """
(() => {
  const Plain = window.WebSocket;
  window.regenTimes = {preview: [], after: [], partial: 0};
  let stroke = null, strength = null;
  window.WebSocket = class extends Plain {
    constructor(address) {
      super(address);
      this.addEventListener("message", (event) => {
        const message = JSON.parse(event.data);
        const shown = (begun, list) => requestAnimationFrame(() => setTimeout(() =>
          list.push(performance.now() - begun)));
        if (message.channel === "preview" && stroke !== null && !message.missing) {
          shown(stroke, window.regenTimes.preview); stroke = null;
        }
        if (message.channel === "after" && message.partial) window.regenTimes.partial += 1;
        if (message.channel === "after" && strength !== null) {
          shown(strength, window.regenTimes.after); strength = null;
        }
      });
    }
    send(text) {
      const what = JSON.parse(text).do;
      if (what === "stroke") stroke = performance.now();
      if (what === "rule.strength") strength = performance.now();
      super.send(text);
    }
  };
})();
"""


def chromium() -> str:
    """The browser, or a skip that says why."""
    found = next((path for name in _NAMES if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("chromium is not installed (apt-get install chromium)")
    return found


@dataclass
class Command:
    """`regen edit` as a process of its own.

    Attributes:
        folder: Of its session.
        process: The process.
        address: What it printed.
        begun: When it was started, by the monotonic clock.
    """

    folder: Path
    process: subprocess.Popen[str]
    address: str
    begun: float

    def end(self) -> str:
        """End it as Ctrl-C would; what it said last."""
        self.process.terminate()
        return self.process.communicate(timeout=PATIENCE / 1000)[1]


def start(folder: Path, *words: str) -> Command:
    """Run the command."""
    begun = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "regen", "edit", "--no-browser", "-o", str(folder), *words],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line.startswith("Editor: "):
        raise AssertionError(f"{line}{process.communicate()}")
    return Command(folder, process, line.split()[1], begun)


@contextmanager
def running(folder: Path, *words: str) -> Iterator[Command]:
    """The command, ended after the block."""
    command = start(folder, *words)
    try:
        yield command
    finally:
        if command.process.poll() is None:
            command.process.terminate()
        command.process.communicate(timeout=PATIENCE / 1000)


@contextmanager
def browser() -> Iterator[Any]:
    """A browser, or a skip that says why there is none."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = chromium()
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        try:
            yield opened
        finally:
            opened.close()


@dataclass
class Tab:
    """A page of the editor, used as a person uses it.

    Attributes:
        page: The browser's.
        address: Of the editor.
        asked: Every address that was requested.
        faults: What its scripts complained of.
    """

    page: Any
    address: str
    asked: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    @classmethod
    def open(cls, opened: Any, address: str, **options: Any) -> Tab:
        """Open a page and wait for the generator."""
        options.setdefault("viewport", {"width": 1440, "height": 1080})
        page = opened.new_context(accept_downloads=True, **options).new_page()
        page.set_default_timeout(PATIENCE)
        tab = cls(page, address)
        page.on("request", lambda request: tab.asked.append(request.url))
        page.on("pageerror", lambda error: tab.faults.append(str(error)))
        page.on("console", lambda m: tab.faults.append(m.text) if m.type == "error" else None)
        page.add_init_script(_CLOCK)
        page.goto(address)
        tab.ready()
        return tab

    def ready(self) -> None:
        """Wait until the first samples are there."""
        self.page.wait_for_selector("body[data-ready]")
        self.page.wait_for_selector("#grid img[src]")

    def until(self, expression: str) -> None:
        """Wait until something holds on the page; its own policy forbids the browser's waiting."""
        deadline = time.monotonic() + PATIENCE / 1000
        while not self.page.evaluate(expression):
            assert time.monotonic() < deadline, expression
            self.page.wait_for_timeout(40)

    def outside(self) -> list[str]:
        """What was requested from elsewhere."""
        own = self.address.split("/")[2]
        known = (f"http://{own}/", f"ws://{own}/", "data:", f"blob:http://{own}/")
        return [address for address in self.asked if not address.startswith(known)]

    def tool(self, name: str) -> None:
        """Choose a tool."""
        self.page.click(f'#tool-buttons button[data-tool="{name}"]')

    def paintable(self, boards: int) -> None:
        """Wait until so many boards, and no others, show their image."""
        for ready in ("", "[data-ready]"):
            self.until(f'document.querySelectorAll(".board canvas{ready}").length === {boards}')

    def drag(self, board: int, corners: tuple[float, float, float, float]) -> None:
        """Drag over a board from one corner to another, in pixels of its image."""
        canvas = self.page.locator(".board canvas").nth(board)
        canvas.scroll_into_view_if_needed()
        points = [
            canvas.evaluate(_WHERE, list(corners[:2])),
            canvas.evaluate(_WHERE, list(corners[2:])),
        ]
        mouse = self.page.mouse
        mouse.move(*points[0])
        mouse.down()
        mouse.move(*((a + b) / 2 for a, b in zip(*points, strict=True)))
        mouse.move(*points[1])
        mouse.up()

    def ellipse(self, board: int, cx: float, cy: float, rx: float, ry: float) -> None:
        """Drag an ellipse."""
        self.drag(board, (cx - rx, cy - ry, cx + rx, cy + ry))

    def previewed(self, count: int) -> None:
        """Wait until so many strokes have been previewed."""
        self.until(f"window.regenTimes.preview.length >= {count}")

    def learn(self, rules: int) -> float:
        """Learn a draft; the seconds until there are so many rules."""
        begun = time.monotonic()
        self.page.click("#learn-draft:enabled")
        self.until(
            f'document.querySelectorAll(".rule").length === {rules}'
            ' && document.getElementById("stop").hidden'
        )
        return time.monotonic() - begun

    def download(self, selector: str, into: Path) -> Path:
        """Click, and save the file that comes."""
        with self.page.expect_download() as coming:
            self.page.click(selector)
        path = into / str(coming.value.suggested_filename)
        coming.value.save_as(path)
        return path

    def median(self, name: str) -> float:
        """The median of what was timed, in milliseconds."""
        return statistics.median(self.page.evaluate(f"window.regenTimes.{name}"))


# From pixels of a board's image to those of the screen; boards show the whole image, centred.
_WHERE = """
(canvas, [x, y]) => {
  const box = canvas.getBoundingClientRect();
  const [width, height] = canvas.dataset.size.split(" ").map(Number);
  const scale = Math.min(box.width / width, box.height / height);
  return [box.left + box.width / 2 + (x - width / 2) * scale,
          box.top + box.height / 2 + (y - height / 2) * scale];
}
"""

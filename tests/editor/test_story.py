"""The editor in a browser, from an empty page to files that the command line repeats.

What the machine takes for it is printed, never asserted. With REGEN_SCREENSHOTS=FOLDER the pictures
of the documentation are made.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from regen.images import save_image
from tests.editor.test_sampling import native
from tests.helpers import munit, rfr
from tests.helpers.browser import PATIENCE, ROOT, Command, Tab, browser, running

pytest.importorskip("starlette", reason="the editor's extra is not installed")

CAT_EYE = (172, 113, 40, 25)
CAT_NOSE = (266, 238, 26, 18)
EYES = {4: ((48, 61, 10, 7), (83, 61.5, 10, 7)), 0: ((52, 59.5, 10, 7), (89, 62.5, 10, 7))}


@pytest.fixture(scope="module")
def opened() -> Iterator[Any]:
    with browser() as started:
        yield started


def regen(*words: str, cwd: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "regen", *words],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=PATIENCE / 1000,
    )
    assert ran.returncode == 0, ran.stderr


def picture(tab: Tab, name: str, **options: Any) -> None:
    folder = os.environ.get("REGEN_SCREENSHOTS")
    if folder:
        path = str(Path(folder, name))
        tab.page.screenshot(path=path, type="jpeg", quality=82, **options)


def serious(page: Any) -> list[str] | None:
    """What axe-core finds that keeps people out; None where it is not installed."""
    script = os.environ.get("REGEN_AXE", "")
    if not Path(script).is_file():
        return None
    page.evaluate(Path(script).read_text())
    found = page.evaluate("axe.run()")["violations"]
    return [
        f"{one['id']}: {one['nodes'][0]['html']}"
        for one in found
        if one["impact"] in ("serious", "critical")
    ]


def paint_eyes(tab: Tab) -> None:
    tab.page.click("#tour-close")
    tab.page.click("#use-cat")
    tab.paintable(1)
    tab.tool("ellipse")
    tab.ellipse(0, *CAT_EYE)
    for board, (seed, eyes) in enumerate(EYES.items(), start=1):
        tab.page.click(f'#grid button[aria-label="seed {seed}"]')
        tab.paintable(board + 1)
        for eye in eyes:
            tab.ellipse(board, *eye)


def rule_button(rule: int, name: str) -> str:
    return f'.rule:nth-child({rule}) button:text-is("{name}")'


@pytest.fixture(scope="module")
def story(opened: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """The whole story, once; the tests look at what it left."""
    folder = tmp_path_factory.mktemp("story")
    with running(folder / "session") as command:
        tab = Tab.open(opened, command.address)
        told = Told(command, tab, folder)
        told.tell()
        yield told


class Told:
    """What happened."""

    def __init__(self, command: Command, tab: Tab, folder: Path) -> None:
        self.command, self.tab, self.folder = command, tab, folder
        self.states: list[str] = []

    def tell(self) -> None:
        import time

        tab, page = self.tab, self.tab.page
        self.ready = time.monotonic() - self.command.begun
        paint_eyes(tab)
        tab.previewed(1)
        page.wait_for_timeout(500)
        for mode in ("#subtract", "#subtract"):  # a few strokes more, for the median
            page.click(mode)
            tab.ellipse(1, 48, 61, 2, 2)
            page.wait_for_timeout(1500)
        for _ in range(2):
            page.click("#undo")
        self.violations = serious(page)
        self.draft = tab.learn(1)
        self.refreshes = page.evaluate("window.regenTimes.partial")
        self.strength()
        picture(tab, "editor.jpg")
        self.second_rule()
        self.undo()
        self.files = {
            "edits": tab.download(rule_button(1, "Edits"), self.folder),
            "rewrite": tab.download(rule_button(1, "Rewrite"), self.folder),
            "all": tab.download("#export-all", self.folder),
            "generator": tab.download("#export-generator", self.folder),
        }
        self.print()

    def strength(self) -> None:
        page = self.tab.page
        page.focus('.rule input[type="range"]')
        for _ in range(6):
            page.keyboard.press("ArrowLeft")
            page.wait_for_timeout(400)
        self.tab.until('document.querySelector(".rule output").value === "0.70"')

    def second_rule(self) -> None:
        tab, page = self.tab, self.tab.page
        page.click("#next-rule")
        page.click("#use-cat")
        tab.paintable(1)
        tab.ellipse(0, *CAT_NOSE)
        page.click('#grid button[aria-label="seed 3"]')
        tab.paintable(2)
        tab.tool("wand")
        tab.drag(1, (64, 75, 64, 75))
        self.tab.until('document.getElementById("missing").textContent.startsWith("This is what")')
        tab.learn(2)

    def undo(self) -> None:
        page = self.tab.page
        page.locator("body").click(position={"x": 700, "y": 20})
        page.keyboard.press("Control+z")
        self.tab.until('document.querySelectorAll(".rule").length === 1')
        page.keyboard.press("Control+y")
        self.tab.until('document.querySelectorAll(".rule").length === 2')

    def print(self) -> None:
        preview, strength = self.tab.median("preview"), self.tab.median("after")
        print(
            f"\neditor: ready after {self.ready:.1f} s (bar 5), stroke to preview {preview:.0f} ms "
            f"median (bar 400), strength to images {strength:.0f} ms (bar 200), draft "
            f"{self.draft:.1f} s (bar 8) with {self.refreshes} refreshes (bar 4), requests to "
            f"outside {len(self.tab.outside())} (bar 0), axe-core "
            f"{'not installed' if self.violations is None else len(self.violations)} (bar 0)"
        )


def test_what_was_exported_is_repeated_byte_for_byte(story: Told) -> None:
    with zipfile.ZipFile(story.files["all"]) as whole:
        whole.extractall(story.folder / "all")
    place = story.folder / "all"
    commands = (place / "commands.txt").read_text().splitlines()
    words = commands[0].split()
    assert words[:3] == ["regen", "rewrite", "--edits"]
    regen(*words[1:], cwd=place)
    again = (place / "rule-1" / "again" / "rewrite.safetensors").read_bytes()
    assert again == (place / "rule-1" / "rewrite.safetensors").read_bytes()
    assert again == story.files["rewrite"].read_bytes()
    assert (place / "rule-1" / "edits.json").read_bytes() == story.files["edits"].read_bytes()


def test_the_exported_generator_is_that_of_convert(story: Told) -> None:
    rules = json.loads((story.folder / "session" / "session.json").read_text())["rules"]
    assert [rule["strength"] for rule in rules] == [0.7, 1.0]
    folder = story.folder / "session" / "rules"
    words = [
        word
        for rule in rules
        for word in (
            "--rewrite",
            f"{folder / rule['key'] / 'rewrite.safetensors'}:{rule['strength']}",
        )
    ]
    regen("convert", *words, "portraits", "again.safetensors", cwd=story.folder)
    again = (story.folder / "again.safetensors").read_bytes()
    assert again == story.files["generator"].read_bytes()


def test_it_was_watched_while_it_was_learned(story: Told) -> None:
    assert story.refreshes >= 4


def test_nothing_was_requested_from_elsewhere(story: Told) -> None:
    assert story.tab.outside() == [] and story.tab.faults == []


def test_nobody_is_kept_out(story: Told) -> None:
    if story.violations is None:
        pytest.skip("axe-core is not installed (npm install axe-core, REGEN_AXE=.../axe.min.js)")
    assert story.violations == []


def test_a_reload_and_a_second_tab_find_the_session(story: Told, opened: Any) -> None:
    rules = '[...document.querySelectorAll(".rule")].map((rule) => rule.range.value)'
    before = story.tab.page.evaluate(rules)
    story.tab.page.reload()
    story.tab.ready()
    assert story.tab.page.evaluate(rules) == before == ["0.7", "1"]
    second = Tab.open(opened, story.command.address, color_scheme="dark")
    assert second.page.evaluate(rules) == before
    second.page.locator('.rule input[type="checkbox"]').first.uncheck()
    story.tab.until('!document.querySelector(".rule input").checked')
    second.page.click("#undo")
    story.tab.until('document.querySelector(".rule input").checked')
    picture(second, "editor_dark.jpg")
    assert second.faults == [] and (serious(second.page) or []) == []
    second.page.close()


def test_a_phone(story: Told, opened: Any) -> None:
    small = {"width": 390, "height": 844}
    phone = Tab.open(opened, story.command.address, viewport=small, has_touch=True)
    picture(phone, "editor_phone.jpg")
    assert phone.page.evaluate("document.documentElement.scrollWidth") <= 390
    assert (serious(phone.page) or []) == []
    phone.page.close()


def test_holes_are_filled_by_a_rule(opened: Any, tmp_path: Path) -> None:
    with running(tmp_path / "session", "portraits-inpaint") as command:
        tab = Tab.open(opened, command.address)
        page = tab.page
        page.click("#tour-close")
        page.select_option("#hole", "eyes")
        page.click("#use-cat")
        tab.paintable(1)
        tab.tool("ellipse")
        tab.ellipse(0, *CAT_EYE)
        for board, (seed, eyes) in enumerate(EYES.items(), start=1):
            tab.until('document.getElementById("hole").value === "eyes"')
            page.click(f'#grid button[aria-label="seed {seed}"]')
            tab.paintable(board + 1)
            assert page.locator(".inputs select").nth(board - 1).input_value() == "eyes"
            for eye in eyes:
                tab.ellipse(board, *(number / 2 for number in eye))
        page.locator('.inputs button:text-is("Hole")').last.click()
        tab.ellipse(2, 34, 30, 20, 9)  # the second one's hole becomes larger than its eyes
        tab.until('document.querySelectorAll(".inputs select")[1].value === "*"')
        page.locator('.inputs button:text-is("Region")').last.click()
        tab.until('document.getElementById("missing").textContent.startsWith("This is what")')
        tab.learn(1)
        tab.until('document.getElementById("after-title").textContent === "With the rules"')
        page.evaluate("scrollTo(0, 0)")
        picture(tab, "editor_inpaint.jpg")
        assert (serious(page) or []) == [] and tab.faults == [] and tab.outside() == []
        files = tab.download("#export-all", tmp_path)
        page.close()
    with zipfile.ZipFile(files) as whole:
        whole.extractall(tmp_path / "all")
    line = (tmp_path / "all" / "commands.txt").read_text().splitlines()[0]
    regen(*line.split()[1:], "--preview", cwd=tmp_path / "all")
    edits = json.loads((tmp_path / "all" / "rule-1" / "edits.json").read_text())
    holes = [target["hole"] for edit in edits["edits"] for target in edit["targets"]]
    assert holes == [{"portraits": "eyes", "grow": 2}, {"ellipses": [[34.0, 30.0, 20.0, 9.0]]}]


@pytest.fixture
def images(tmp_path: Path) -> str:
    """A folder of twelve images."""
    (tmp_path / "images").mkdir()
    for number in range(12):
        image = torch.full((3, 32, 32), number / 12)
        save_image(tmp_path / "images" / f"{number:02d}.png", image)
    return str(tmp_path / "images")


def test_a_translation_gets_another_style(opened: Any, tmp_path: Path, images: str) -> None:
    generator = native(munit.lively(), tmp_path / "g.safetensors")
    with running(tmp_path / "session", generator, "--images", images) as command:
        tab = Tab.open(opened, command.address)
        page = tab.page
        page.click("#tour-close")
        page.click('#grid button[aria-label="03.png, style 3"]')
        page.wait_for_selector(".board canvas[data-ready]")
        seen = page.locator(".seen img").first  # what is translated
        seen.wait_for(state="visible")
        given = seen.get_attribute("src")
        assert page.locator(".inputs input").input_value() == "3"
        page.click('.inputs button:text-is("New style")')
        tab.until('document.querySelector(".inputs input").value !== "3"')
        label = page.locator(".board .label").last
        assert label.inner_text().startswith("03.png, style ") and label.inner_text()[-2:] != " 3"
        page.wait_for_selector(".board canvas[data-ready]")
        seen.wait_for(state="visible")
        assert seen.get_attribute("src") == given
        page.click("#undo")
        tab.until('document.querySelector(".inputs input").value === "3"')
        assert (serious(page) or []) == [] and tab.faults == []
        page.close()


def test_a_hole_is_painted_on_an_image_of_ones_own(
    opened: Any, tmp_path: Path, images: str
) -> None:
    generator = native(rfr.lively(), tmp_path / "g.safetensors")
    with running(tmp_path / "session", generator, "--images", images) as command:
        tab = Tab.open(opened, command.address)
        page = tab.page
        page.click("#tour-close")
        page.click("#use-cat")
        tab.paintable(1)
        tab.tool("ellipse")
        tab.ellipse(0, *CAT_NOSE)
        page.click('#grid button[aria-label="03.png"]')
        tab.paintable(2)
        said = 'document.getElementById("missing").textContent'
        tab.until(f'{said} === "Paint the hole of 03.png: what is to be filled"')
        tab.ellipse(1, 16, 16, 8, 8)
        tab.until(f'{said}.startsWith("Paint where the pattern goes on 03.png")')
        page.click('.inputs button:text-is("Region")')
        tab.paintable(2)
        tab.ellipse(1, 16, 16, 12, 4)  # what lies outside of the hole does not count
        tab.until(f'{said}.startsWith("This is what")')
        assert (serious(page) or []) == [] and tab.faults == []
        page.close()


# However long the name of an exemplar is, it widens no board.
_BOARDS_FIT = """
[...document.querySelectorAll(".board")].every((board) => board.scrollWidth <= board.clientWidth)
"""


def test_an_exemplar_of_one_sample_alone_is_beside_it(opened: Any, tmp_path: Path) -> None:
    file = str(ROOT / "examples" / "drawn_cat_eyes.json")
    with running(tmp_path / "session", "portraits", "--edits", file) as command:
        tab = Tab.open(opened, command.address)
        page = tab.page
        tab.paintable(6)
        tab.until('document.getElementById("missing").textContent.startsWith("This is what")')
        assert page.locator(".board .label").all_text_contents() == [
            "Exemplar: cat eyes on the face of seed 1241",
            "seed 0",
            "Exemplar of seed 3: cat eyes on the face of seed 1028",
            "seed 3",
            "Exemplar of seed 4: cat eyes on the face of seed 2136",
            "seed 4",
        ]
        assert page.evaluate(_BOARDS_FIT)
        assert "against the cat eyes that the renderer draws" in page.text_content("#oracle")
        tab.tool("brush")
        tab.drag(2, (10, 10, 20, 12))
        tab.previewed(1)
        page.locator('.board button:text-is("Use the first")').first.click()
        tab.paintable(5)
        page.click("#undo")
        tab.paintable(6)
        page.set_input_files("#file", ROOT / "examples" / "noto" / "dark_sunglasses_u1f576.png")
        tab.paintable(4)
        assert page.text_content("#oracle") == ""
        assert (serious(page) or []) == [] and tab.faults == []
        page.close()


def test_a_server_that_ends_is_said_in_the_page_and_found_again(
    opened: Any, tmp_path: Path
) -> None:
    with running(tmp_path) as command:
        tab = Tab.open(opened, command.address)
        tab.page.click("#use-cat")
        tab.page.wait_for_selector('.board[data-board="exemplar"] .empty', state="hidden")
        said = command.end()
        tab.page.wait_for_selector("#dead", state="visible")
        assert f"Interrupted: the session is in {tmp_path}" in said
        tab.page.close()
    with running(tmp_path) as command:
        tab = Tab.open(opened, command.address)
        tab.page.wait_for_selector('.board[data-board="exemplar"] .empty', state="hidden")
        tab.page.close()


def test_the_first_steps_lead_to_a_rule(opened: Any, tmp_path: Path) -> None:
    with running(tmp_path) as command:
        tab = Tab.open(opened, command.address)
        for step in range(1, 6):
            tab.until(f'document.getElementById("tour-count").textContent === "Step {step} of 6"')
            if step == 5:
                tab.page.wait_for_selector("#learn-draft:enabled")
            tab.page.click("#tour-do")
        tab.until('document.querySelectorAll(".rule").length === 1')
        tab.until('document.getElementById("tour-count").textContent === "Step 6 of 6"')
        tab.page.click("#tour-next")
        assert tab.page.locator("#tour").is_hidden() and tab.faults == []
        tab.page.close()


# Notes the bar of a fit whose length is not known yet.
_WATCH_THE_BAR = """
(() => {
  window.regenBar = [];
  const [said, bar] = ["learn-state", "progress"].map((id) => document.getElementById(id));
  new MutationObserver(() => {
    if (said.textContent === "Preparing…") window.regenBar.push(bar.value);
  }).observe(said, {childList: true});
})()
"""
# Pixels of the screen for one of a board's image.
_SCALE = """
(index) => {
  const canvas = document.querySelectorAll(".board canvas")[index];
  const [width, height] = canvas.dataset.size.split(" ").map(Number);
  const box = canvas.getBoundingClientRect();
  return Math.min(box.width / width, box.height / height);
}
"""


def test_a_brush_is_as_large_on_a_photograph_as_on_a_sample(opened: Any, tmp_path: Path) -> None:
    save_image(tmp_path / "photograph.png", torch.zeros(3, 1500, 1200))
    with running(tmp_path / "session") as command:
        tab = Tab.open(opened, command.address)
        page = tab.page
        page.click("#tour-close")
        page.set_input_files("#file", tmp_path / "photograph.png")
        tab.paintable(1)
        page.click('#grid button[aria-label="seed 3"]')
        tab.paintable(2)
        for _ in range(3):
            page.keyboard.press("[")
        assert page.input_value("#size") == page.text_content("#size-value") == "3"
        tab.drag(0, (300, 700, 500, 700))
        tab.drag(1, (50, 70, 70, 70))
        tab.previewed(1)
        scales = [page.evaluate(_SCALE, board) for board in (0, 1)]
        page.evaluate(_WATCH_THE_BAR)
        page.click("#learn-draft:enabled")
        page.click("#stop")
        tab.until('document.querySelectorAll(".rule").length === 1')
        tab.until('document.getElementById("learn-state").textContent.includes("replaces Rule 1")')
        assert set(page.evaluate("window.regenBar")) == {0}
        assert tab.faults == []
        page.close()
    painting = json.loads((tmp_path / "session" / "session.json").read_text())["painting"]
    strokes = (painting["strokes"][0], painting["targets"][0]["strokes"][0])
    wide, narrow = (stroke["radius"] * scale for stroke, scale in zip(strokes, scales, strict=True))
    assert wide == pytest.approx(narrow, rel=0.05)


def test_what_is_shown_of_a_zoomed_image_follows_the_arrows(opened: Any, tmp_path: Path) -> None:
    with running(tmp_path) as command:
        tab = Tab.open(opened, command.address)
        page = tab.page
        page.click("#tour-close")
        page.click('#grid button[aria-label="seed 3"]')
        tab.paintable(1)
        canvas = page.locator(".board canvas[data-ready]")
        canvas.focus()
        page.keyboard.press("o")
        for _ in range(4):
            page.keyboard.press("+")
        shown = [canvas.screenshot()]
        for key in ("ArrowDown", "ArrowLeft"):
            for _ in range(7):
                page.keyboard.press(f"Shift+{key}")
            shown.append(canvas.screenshot())
        page.keyboard.press("Enter")
        tab.until('document.querySelectorAll(".board canvas")[1].ariaLabel.includes("1 strokes")')
        page.close()
    assert shown[0] != shown[1] != shown[2]


def test_results_are_looked_at_large_and_a_reload_finds_the_truncation(
    opened: Any, tmp_path: Path
) -> None:
    with running(tmp_path) as command:
        tab = Tab.open(opened, command.address)
        page = tab.page
        page.focus("#truncation")
        for _ in range(4):
            page.keyboard.press("ArrowLeft")
        for step in (1, 2):
            tab.until(f'document.getElementById("tour-count").textContent === "Step {step} of 6"')
            page.click("#tour-do")
        tab.until('document.getElementById("tour-count").textContent === "Step 3 of 6"')
        page.click("#tour-close")
        tab.until('document.querySelector("#grid button").cell?.sample.truncation === 0.8')
        page.click('#grid button[aria-label="seed 3"]')
        tab.paintable(2)
        tab.tool("ellipse")
        tab.ellipse(1, 48, 61, 10, 7)
        tab.previewed(1)
        names = 'document.querySelectorAll("#look-pictures figcaption")'
        names = f"[...{names}].map((one) => one.textContent).join()"
        page.click("#after button >> nth=2")
        assert page.evaluate(names) == "without rules,where the rule will act"
        wide = page.locator("#look-pictures img").first.bounding_box()
        assert wide is not None and wide["width"] > 300
        page.keyboard.press("Escape")
        tab.learn(1)
        tab.until('document.getElementById("after-title").textContent === "With the rules"')
        page.click("#after button >> nth=2")
        assert page.evaluate(names) == "without rules,where the rule will act,with the rules"
        page.click("#look-close")
        page.click(".seen button >> nth=0")
        tab.until(f'{names} === "pasted,as generated,with rules"')
        page.click("#look-close")
        page.reload()
        tab.ready()
        tab.until('document.getElementById("truncation").value === "0.8"')
        assert page.text_content("#truncation-value") == "0.8"
        assert (serious(page) or []) == [] and tab.faults == []
        page.close()
    with running(tmp_path) as command:
        tab = Tab.open(opened, command.address)
        tab.until('document.querySelector("#grid [aria-pressed=true]") !== null')
        assert tab.page.input_value("#truncation") == "0.8"
        tab.page.close()

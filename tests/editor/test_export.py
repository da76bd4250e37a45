"""Files that are handed out."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from regen import api
from regen.editor.document import Document, Rule
from regen.editor.export import commands, export
from regen.editor.kept import Kept
from regen.editor.messages import MessageError
from regen.editor.painting import Painting, Target
from regen.errors import RegenError
from regen.generators.registry import open_generator

NAME = "synthesis.convs.5.bias"


class Opened:
    """As much of an engine as exporting asks for."""

    name = "portraits"
    images: Path | None = None

    def __init__(self, kept: Kept) -> None:
        self.kept, self.rules = kept, self
        self.reports: list[str] = []

    def write_report(self, rule: Rule, folder: Path, command: str) -> None:
        self.reports.append(command)
        (folder / "report.html").write_text("report")


@pytest.fixture
def engine(kept: Kept) -> Opened:
    """Two rules are kept."""
    generator = open_generator("portraits")
    bias = dict(generator.named_parameters())[NAME]
    for key in "ab":
        kept.write_rule(key, {"version": 1}, {"fit": {}})
        rewrite = api.Rewrite({NAME: torch.ones_like(bias)}, generator.digest(), "stylegan2")
        rewrite.save(kept.rewrite(key))
    return Opened(kept)


RULES = (
    Rule("a", "Cat eyes!", Painting("p"), 0.7),
    Rule("b", "Nose", Painting("q"), 1.0, kind="full"),
)
DOCUMENT = Document(Painting("r"), RULES)


def made(engine: Opened, what: str, document: Document = DOCUMENT) -> Path:
    path = export(engine, document, what)  # type: ignore[arg-type]
    assert path.parent == engine.kept.exports()
    return path


def test_files_of_one_rule(engine: Opened) -> None:
    assert made(engine, "edits a").name == "cat-eyes-edits.json"
    rewrite = made(engine, "rewrite b")
    assert rewrite.name == "nose-rewrite.safetensors"
    assert rewrite.read_bytes() == engine.kept.rewrite("b").read_bytes()
    for _ in range(2):
        assert made(engine, "report a").read_text() == "report"
    assert engine.reports == ["regen rewrite --edits edits.json --config settings.json -o again"]


def test_the_generator_with_the_rules_that_are_on(engine: Opened) -> None:
    before = open_generator("portraits").state_dict()[NAME]
    after = open_generator(made(engine, "generator .safetensors")).state_dict()[NAME]
    torch.testing.assert_close(after, before + 1.7)
    off = replace(DOCUMENT, rules=(replace(RULES[0], on=False), RULES[1]))
    after = open_generator(made(engine, "generator .safetensors", off)).state_dict()[NAME]
    torch.testing.assert_close(after, before + 1)
    assert made(engine, "generator .pkl").stat().st_size > 1e6
    with pytest.raises(RegenError, match="rosinality's format: got a generator with z of 32"):
        made(engine, "generator .pt")


def test_onnx_too(engine: Opened) -> None:
    pytest.importorskip("onnx", reason="onnx is not installed")
    assert made(engine, "generator .onnx").suffix == ".onnx"


def test_everything_and_how_to_repeat_it(engine: Opened) -> None:
    with zipfile.ZipFile(made(engine, "everything")) as whole:
        names = set(whole.namelist())
        text = whole.read("commands.txt").decode()
    files = ("edits.json", "settings.json", "rewrite.safetensors")
    assert names == {f"{rule}/{file}" for rule in ("cat-eyes", "nose") for file in files} | {
        "commands.txt",
        "rules.json",
    }
    assert text.splitlines() == [
        "regen rewrite --edits cat-eyes/edits.json --config cat-eyes/settings.json "
        "-o cat-eyes/again",
        "regen rewrite --edits nose/edits.json -o nose/again",
        "regen generate --rewrite cat-eyes/rewrite.safetensors:0.7 "
        "--rewrite nose/rewrite.safetensors:1 --seeds 0-63 -o images",
    ]


def test_images_of_a_folder_are_changed_by_what_was_learned(engine: Opened, tmp_path: Path) -> None:
    engine.images = tmp_path
    last = commands(engine, DOCUMENT).splitlines()[-1]  # type: ignore[arg-type]
    assert last.endswith(f"--rewrite nose/rewrite.safetensors:1 --images {tmp_path} -o images")


@pytest.mark.parametrize(
    ("sample", "words"),
    [
        ({"seed": 4, "truncation": 0.8}, "--truncation 0.8 "),
        ({"seed": 4, "hole": {"portraits": "eyes", "grow": 2}}, "--hole eyes "),
        ({"seed": 4, "hole": {"box": [0, 0, 9, 9]}}, ""),
    ],
)
def test_samples_are_like_those_that_taught_the_rule(
    sample: dict[str, Any], words: str, engine: Opened
) -> None:
    painting = Painting("p", targets=(Target("t", sample, "seed 4"),))
    document = Document(Painting("r"), (replace(RULES[0], painting=painting),))
    last = commands(engine, document).splitlines()[-1]  # type: ignore[arg-type]
    assert last.endswith(f"rewrite.safetensors:0.7 {words}--seeds 0-63 -o images")


def test_a_rule_that_was_stopped_is_said_to_be_learned_on(engine: Opened) -> None:
    document = Document(Painting("r"), (replace(RULES[0], stopped_after=3),))
    assert "# was stopped" in commands(engine, document).splitlines()[0]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("passwords", "export: got passwords, expected edits, rewrite, report, generator or every"),
        ("edits ../../x", "rule: got ../../x, expected a, b"),
        ("generator ../x", "suffix: got none"),
        ("generator .exe", "suffix: got .exe, expected .safetensors"),
    ],
)
def test_what_does_not_exist_is_refused(engine: Opened, what: str, message: str) -> None:
    with pytest.raises(RegenError, match=message):
        made(engine, what)


@pytest.mark.parametrize("what", ["everything", "generator .pkl"])
def test_without_rules_there_is_nothing_to_export(engine: Opened, what: str) -> None:
    with pytest.raises(MessageError, match="expected at least one"):
        made(engine, what, Document(Painting("r")))


def test_equal_names_stay_apart(engine: Opened) -> None:
    twins: Any = Document(Painting("r"), (RULES[0], replace(RULES[1], name="cat eyes")))
    with zipfile.ZipFile(made(engine, "everything", twins)) as whole:
        assert len(set(whole.namelist())) == len(whole.namelist()) == 8

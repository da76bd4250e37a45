"""The command line that a report suggests."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from regen.edits.schema import Edit, Edits, NamedRegion, Pattern, SampleSpec, Target
from regen.rewriting.task import Task
from regen.runs.rewrite.conclude import generate_command


def task(
    name: str,
    images: Path | None = None,
    hole: str | None = None,
    truncation: float | None = None,
) -> Task:
    generator = SimpleNamespace(source_name=name)
    region = NamedRegion("nose")
    hidden = None if hole is None else NamedRegion(hole)
    target = Target(SampleSpec(3, truncation=truncation, hole=hidden), region)
    edits = Edits((Edit(Pattern("red_nose", 5), region, (target,)),))
    made = SimpleNamespace(generator=generator, images=images, edits=edits)
    return cast(Task, cast(Any, made))


@pytest.mark.parametrize(
    ("name", "images", "command"),
    [
        ("portraits", None, "--rewrite r.safetensors:0.5 --seeds 0-63 -o half"),
        (
            "my cats/g.safetensors",
            None,
            "--generator 'my cats/g.safetensors' --rewrite r.safetensors:0.5 --seeds 0-63 -o half",
        ),
        ("g", Path("in"), "--generator g --rewrite r.safetensors:0.5 --images in -o half"),
    ],
)
def test_it_can_be_pasted_into_a_shell(name: str, images: Path | None, command: str) -> None:
    found = generate_command(task(name, images), "r.safetensors:0.5", "half")
    assert found == f"regen generate {command}"


def test_what_the_targets_hide_is_hidden_in_all() -> None:
    found = generate_command(task("i", hole="nose"), "r", "out")
    assert found == "regen generate --generator i --rewrite r --hole nose --seeds 0-63 -o out"
    found = generate_command(task("i", Path("in"), hole="nose"), "r", "out")
    assert found == "regen generate --generator i --rewrite r --images in -o out"


def test_samples_are_truncated_as_the_targets_are() -> None:
    found = generate_command(task("g", truncation=0.8), "r", "out")
    assert found == "regen generate --generator g --rewrite r --truncation 0.8 --seeds 0-63 -o out"
    assert "--truncation" not in generate_command(task("g", truncation=1.0), "r", "out")

"""The command lines that reports suggest, and `regen info` of a run folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from regen.edits.schema import Edit, Edits, NamedRegion, Pattern, SampleSpec, Target
from regen.runs.use import is_guided, projector_command, rewritten_command, use_of


def edits(name: str, hole: str | None = None, truncation: float | None = None) -> Edits:
    region = NamedRegion("nose")
    hidden = None if hole is None else NamedRegion(hole)
    target = Target(SampleSpec(3, truncation=truncation, hole=hidden), region)
    return Edits((Edit(Pattern("red_nose", 5), region, (target,)),), generator=name)


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
    found = rewritten_command(edits(name), "r.safetensors:0.5", "half", images)
    assert found == f"regen generate {command}"


def test_what_the_targets_hide_is_hidden_in_all() -> None:
    found = rewritten_command(edits("i", hole="nose"), "r", "out")
    assert found == "regen generate --generator i --rewrite r --hole nose --seeds 0-63 -o out"
    found = rewritten_command(edits("i", hole="nose"), "r", "out", Path("in"))
    assert found == "regen generate --generator i --rewrite r --images in -o out"


def test_samples_are_truncated_as_the_targets_are() -> None:
    found = rewritten_command(edits("g", truncation=0.8), "r", "out")
    assert found == "regen generate --generator g --rewrite r --truncation 0.8 --seeds 0-63 -o out"
    assert "--truncation" not in rewritten_command(edits("g", truncation=1.0), "r", "out")


def test_a_projector_is_given_what_its_generator_needs() -> None:
    found = projector_command("g g", Path("p"), Path("in"), guided=True)
    assert found == (
        "regen project --generator 'g g' --projector p --images in --hole MASK IMAGE -o DIR"
    )
    assert is_guided({"architecture": {"guides": 1}})
    assert not is_guided({"architecture": {}}) and not is_guided({})


def test_the_result_in_a_folder_decides(tmp_path: Path) -> None:
    assert use_of(tmp_path, {}) is None
    (tmp_path / "rewrite.partial.safetensors").write_bytes(b"")
    assert use_of(tmp_path, {}) is None  # as its edits are gone
    edits("g").save(tmp_path / "edits.json")
    (tmp_path / "g").touch()
    use = use_of(tmp_path, {"images": "in"})
    assert use is not None and use.endswith(f"--images in -o {tmp_path}/sheet")
    (tmp_path / "generator.safetensors").write_bytes(b"")
    use = f"regen generate --generator {tmp_path}/generator.safetensors --seeds 0-63 -o DIR"
    assert use_of(tmp_path, {}) == use


def test_a_damaged_projector_has_no_use(tmp_path: Path) -> None:
    (tmp_path / "projector.safetensors").write_bytes(b"damaged")
    assert use_of(tmp_path, {"generator": "portraits"}) is None

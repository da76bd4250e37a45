"""`regen rewrite --preview` writes one image and touches nothing else."""

from __future__ import annotations

from typing import Any

from PIL import Image

from regen.rewriting.settings import RewriteSettings
from regen.runs.rewrite.preview import run_preview
from tests.helpers.world import World


def test_one_image_beside_what_is_there(world: World) -> None:
    (world.folder / "out").mkdir()
    (world.folder / "out" / "rewrite.safetensors").write_bytes(b"of an earlier run")
    seen, path, seconds = run_preview(world.edits(), world.folder / "out", RewriteSettings())
    assert world.left() == ["preview.png", "rewrite.safetensors"]
    assert (world.folder / "out" / "rewrite.safetensors").read_bytes() == b"of an earlier run"
    with Image.open(path) as image:
        assert image.width == 150 + 8 * (64 + 6)
    assert seconds is not None and seconds > 0
    assert len(seen.labels) == 8 and seen.target_labels == ["seed 3", "seed 4"]


def test_the_command(world: Any) -> None:
    result = world.run("rewrite", "--preview", "--edits", "edits.json", "-o", "out")
    assert result.exit_code == 0, result.stderr
    first, *lines, last = result.stdout.splitlines()
    assert first == "Preview: out/preview.png" and world.left() == ["preview.png"]
    assert last.startswith("To learn it takes about ")
    assert lines
    assert all(line.startswith("Look at it (") for line in lines) or lines == [
        "Nothing looks wrong"
    ]


def test_where_steps_say_nothing_about_the_time_none_is_told(world: Any) -> None:
    words = ("rewrite", "--preview", "--edits", "edits.json", "--solver", "closed-form")
    assert "takes about" not in world.run(*words, "-o", "out").stdout


def test_it_shows_one_layer(world: Any) -> None:
    words = ("rewrite", "--preview", "--value-layer", "auto", "--edits", "edits.json")
    result = world.run(*words, "-o", "out")
    assert result.exit_code == 2 and world.left() == []
    assert "--preview shows one value layer: give its number, not auto." in result.stderr

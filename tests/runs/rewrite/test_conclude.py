"""`regen.runs.rewrite.conclude`: what the report of a run says of using it."""

from __future__ import annotations

from typing import Any


def test_the_report_shows_how_the_rewrite_is_used_at_full_and_half_strength(world: Any) -> None:
    words = ("--steps", "1", "--preserve", "2", "--seeds", "2")
    assert world.run("rewrite", "--edits", "edits.json", *words, "-o", "out").exit_code == 0
    page = (world.folder / "out" / "report.html").read_text()
    use = "regen generate --generator g.safetensors --rewrite rewrite.safetensors"
    assert f"{use} --seeds 0-63 -o images" in page
    assert f"{use}:0.5 --seeds 0-63 -o half" in page

"""Sections of a Markdown file that are written anew."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from types import SimpleNamespace

import pytest

from experiments import bench_ops
from experiments.sections import with_section

FILE = """about

# CUDA

## fp32

kept

# Times

## fp32

old

## bf16

kept

# End
"""


def test_a_section_is_replaced_where_it_stands_and_under_its_part_alone() -> None:
    assert with_section(FILE, "Times", "fp32", "\nnew\n\n") == FILE.replace("old", "new")


def test_a_new_section_comes_last_in_its_part() -> None:
    assert with_section(FILE, "Times", "fp16", "new") == FILE.replace(
        "# End", "## fp16\n\nnew\n\n# End"
    )
    assert with_section(FILE, "CUDA", "bf16", "new") == FILE.replace(
        "# Times", "## bf16\n\nnew\n\n# Times"
    )


def test_a_new_part_comes_last() -> None:
    assert with_section(FILE, "More", "fp32", "new") == FILE + "\n# More\n\n## fp32\n\nnew\n"
    assert with_section("", "More", "fp32", "new") == "# More\n\n## fp32\n\nnew\n"


def test_the_profile_of_the_operators_keeps_what_it_did_not_measure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, kept = tmp_path / "profile.md", "# CUDA\n\nmeasured elsewhere\n"
    path.write_text(kept + f"\n# {bench_ops.PROFILE}\n\n## 1024 fp32 compiled\n\nold\n")

    def measured(resolution: int, batch: int, repeats: int, profile: Path) -> dict[str, object]:
        bench_ops._profile(profile, f"{resolution} fp32 compiled", lambda: None)
        raise KeyboardInterrupt  # the rest takes minutes

    compiled = SimpleNamespace(name="compiled")
    monkeypatch.setattr(bench_ops, "implementation", lambda: compiled)
    monkeypatch.setattr(bench_ops, "generator", measured)
    monkeypatch.setattr(bench_ops, "operators", lambda *_: defaultdict(lambda: 1.0))
    monkeypatch.setattr(bench_ops, "fresh_copy", lambda _: 1.0)
    monkeypatch.setattr(bench_ops, "keep_freed_memory", lambda: None)
    with pytest.raises(KeyboardInterrupt):
        bench_ops.main.callback(3, path)
    written = path.read_text()
    assert written.startswith(kept)
    assert "old" not in written and written.count("## 1024 fp32 compiled") == 1

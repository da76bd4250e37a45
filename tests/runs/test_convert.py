"""`regen.runs.convert`: what `tests/cli/test_convert.py` does not see."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from regen.errors import GeneratorError, StoreError
from regen.generators.registry import open_generator, read_checkpoint
from regen.rewriting.rewrite import Rewrite
from regen.runs import convert as converting
from regen.runs.convert import Conversion, convert, formats_of


def test_what_was_done_is_said(world: Any) -> None:
    digest = open_generator("g.safetensors").digest()
    first = convert("g.safetensors", Path("a.pkl"))
    assert (first.format, first.image_size, first.digest) == ("nvidia", (32, 32), digest)
    again = convert("a.pkl", Path("b.safetensors"))
    assert again == Conversion("pickle of NVIDIA's, G_ema", "native", (32, 32), digest, ())
    assert read_checkpoint(Path("b.safetensors")).generator.digest() == digest


def test_rewrites_are_summed_and_change_the_digest(world: Any) -> None:
    base = open_generator("g.safetensors")
    deltas = {"synthesis.convs.5.bias": torch.ones(8)}
    Rewrite(deltas, base.digest(), base.family).save("r.safetensors")
    twice = [(Path("r.safetensors"), 1.0), (Path("r.safetensors"), 0.5)]
    done = convert("g.safetensors", Path("a.safetensors"), rewrites=twice)
    made = open_generator("a.safetensors")
    assert done.digest == made.digest() != base.digest()
    assert torch.equal(made.conv(5).bias, base.conv(5).bias + 1.5)  # type: ignore[attr-defined]


def test_a_rewrite_of_a_discriminator_is_refused(world: Any) -> None:
    with pytest.raises(GeneratorError, match="--which D"):
        convert("g.safetensors", Path("d.safetensors"), rewrites=[(Path("r"), 1.0)], which="D")
    assert not Path("d.safetensors").exists()


def test_what_was_written_is_compared(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    other = read_checkpoint(Path("other.safetensors"))
    found = iter([read_checkpoint(Path("g.safetensors")), other])
    monkeypatch.setattr(converting, "read_checkpoint", lambda *_: next(found))
    with pytest.raises(GeneratorError, match="^a.safetensors does not hold what was written"):
        convert("g.safetensors", Path("a.safetensors"))


def test_a_target_that_cannot_be_written(world: Any) -> None:
    with pytest.raises(StoreError, match="cannot write no/folder/a.pkl"):
        convert("g.safetensors", Path("no/folder/a.pkl"))


def test_formats_of_a_generator_come_with_their_tools() -> None:
    assert formats_of(open_generator("portraits")) == [
        (".safetensors", "regen"),
        (".pkl", "nvidia"),
        (".pt", "rosinality"),
        (".onnx", "onnx"),
    ]

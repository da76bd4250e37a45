"""`regen.surroundings`: what a caller has set in torch changes no result."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
import torch

import regen
from regen.errors import RegenError
from regen.surroundings import unaffected

QUICK = regen.RewriteSettings(
    fit=regen.FitSettings(steps=2, preserve=2, precision="fp32"), measured_seeds=2
)
SURROUNDINGS: dict[str, Callable[[], AbstractContextManager[Any]]] = {
    "no gradients": torch.no_grad,
    "inference mode": torch.inference_mode,
    "autocast": lambda: torch.autocast("cpu", dtype=torch.bfloat16),
    "default device": lambda: torch.device("meta"),
}
anywhere = pytest.mark.parametrize("around", SURROUNDINGS.values(), ids=SURROUNDINGS.keys())


@anywhere
def test_torch_is_as_in_a_new_process_inside_and_as_before_after(around: Any) -> None:
    def state() -> tuple[object, ...]:
        modes = torch.is_grad_enabled(), torch.is_inference_mode_enabled()
        return *modes, torch.is_autocast_enabled("cpu"), torch.empty(1).device.type

    usual = state()
    with around():
        changed = state()
        with unaffected():
            assert state() == usual
        assert state() == changed != usual


def test_a_default_dtype_is_told(float64: None) -> None:
    with pytest.raises(RegenError, match=r"got torch\.float64, expected torch\.float32; call"):
        regen.open_generator("portraits")


@anywhere
def test_what_is_learned_and_drawn_is_the_same_everywhere(world: Any, around: Any) -> None:
    def results() -> dict[str, torch.Tensor]:
        generator = regen.open_generator("g.safetensors")
        rewrite = regen.rewrite("edits.json", generator, settings=QUICK)
        rewritten = rewrite.applied_to(generator)
        image = regen.load_image("cat.png", size=generator.image_size)
        projector = regen.open_projector(generator, "p.safetensors")
        refined = regen.project(image, generator, projector, refine=2)
        measured = regen.evaluate(rewrite, "edits.json", generator, settings=QUICK)
        return {
            **rewrite.deltas,
            "generated": regen.generate(rewritten, [1], truncation=0.5),
            "refined": refined.decoded,
            "measured": measured.evidence.after,
        }

    expected = results()
    with around():
        found = results()
    for name, tensor in expected.items():
        assert torch.equal(found[name], tensor), name
        assert not found[name].is_inference()


def test_what_was_opened_in_inference_mode_can_learn_later(world: Any) -> None:
    with torch.inference_mode():
        generator = regen.open_generator("g.safetensors")
        rewritten = regen.rewrite("edits.json", generator, settings=QUICK).applied_to(generator)
    with regen.rewritten(generator, regen.rewrite("edits.json", generator, settings=QUICK)) as same:
        assert same.digest() == rewritten.digest()

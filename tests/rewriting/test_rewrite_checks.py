"""`regen.rewriting.rewrite_checks`: numbers of a rewrite, and the generator that it belongs to."""

from __future__ import annotations

import math

import pytest
import torch

from regen.errors import RewriteError
from regen.generators.registry import BUNDLED, open_generator
from regen.generators.stylegan2.generator import StyleGAN2
from regen.rewriting.rewrite_checks import check_finite, check_fits


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_finite_numbers_of_any_precision(dtype: torch.dtype) -> None:
    check_finite("r.safetensors", {"weight": torch.tensor([-3e4, 0, 3e4], dtype=dtype)})
    check_finite("r.safetensors", {"weight": torch.zeros(0, dtype=dtype)})


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e300])
def test_others_are_told_by_file_and_name(value: float) -> None:
    deltas = {"weight": torch.zeros(2), "bias": torch.tensor([0, value], dtype=torch.float64)}
    message = r"^r\.safetensors: bias: got NaN or infinity, expected finite numbers; learn the rewr"
    with pytest.raises(RewriteError, match=message):
        check_finite("r.safetensors", deltas)


@pytest.mark.parametrize("dtype", [torch.int64, torch.complex64, torch.float8_e5m2])
def test_deltas_are_real_numbers(dtype: torch.dtype) -> None:
    kind = str(dtype).removeprefix("torch.")
    with pytest.raises(RewriteError, match=rf"^r: weight: got {kind}, expected float32$"):
        check_finite("r", {"weight": torch.zeros(2).to(dtype)})


@pytest.mark.parametrize("name", BUNDLED)
def test_the_bundled_generator_that_it_belongs_to_is_named(generator: StyleGAN2, name: str) -> None:
    base = open_generator(name).digest()
    generator.source_name = "mine.safetensors"
    message = (
        "this rewrite belongs to another generator: got mine.safetensors, "
        f"expected {name}; use that one, for instance with --generator {name}"
    )
    with pytest.raises(RewriteError, match=f"^{message}$"):
        check_fits(generator, {}, base, {})
    generator.source_name = name  # it is that one, changed
    with pytest.raises(RewriteError, match="or to this one before it was changed"):
        check_fits(generator, {}, base, {})

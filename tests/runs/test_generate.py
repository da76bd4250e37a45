"""`regen.runs.generate`: what `tests/cli/test_generate.py` does not see."""

from __future__ import annotations

from pathlib import Path

import pytest

from regen.errors import GeneratorError
from regen.generators.stylegan2.config import StyleGAN2Config
from regen.generators.stylegan2.files import save_stylegan2
from regen.generators.stylegan2.generator import StyleGAN2
from regen.runs.generate import GenerateSettings, generate_images, load_rewrites


@pytest.mark.parametrize(
    ("seeds", "truncation", "problem"),
    [
        ((), 1.0, "^seeds: got none, expected at least one$"),
        ((1,), -10.5, "^truncation: got -10.5, expected -10 to 10$"),
        ((1,), float("nan"), "^truncation: got nan, expected -10 to 10$"),
    ],
)
def test_a_drawing_is_checked(seeds: tuple[int, ...], truncation: float, problem: str) -> None:
    with pytest.raises(GeneratorError, match=problem):
        GenerateSettings(seeds, truncation)


def test_images_that_overflow_are_not_saved_as_black(tmp_path: Path) -> None:
    generator = StyleGAN2(StyleGAN2Config(resolution=8, z_dim=4, w_dim=4, channel_max=4))
    for parameter in generator.parameters():
        parameter.data.fill_(3e38)
    save_stylegan2(tmp_path / "g.safetensors", generator, card={})
    with pytest.raises(GeneratorError, match=r"seed0001.png: pixels: got NaN, expected numbers; w"):
        generate_images(tmp_path / "g.safetensors", [], GenerateSettings((1,)), tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_no_rewrites_are_none() -> None:
    assert load_rewrites([]) is None

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from regen.errors import GeneratorError
from regen.generators.protocol import checked_open
from regen.generators.split import Latent
from regen.generators.stylegan2.generator import StyleGAN2

Build = Callable[..., StyleGAN2]


@pytest.mark.parametrize(
    ("size", "together"),
    [((32, 32), 16), ((256, 256), 16), ((512, 256), 8), ((1024, 1024), 1), ((4096, 4096), 1)],
)
def test_fewer_of_large_images_are_computed_at_once(
    build: Build, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int], together: int
) -> None:
    generator = build()
    batches: list[Latent] = []
    monkeypatch.setattr(StyleGAN2, "image_size", property(lambda self: size))
    forward = StyleGAN2.forward

    def counted(self: StyleGAN2, latent: Latent) -> torch.Tensor:
        batches.append(latent)
        return forward(self, latent)

    monkeypatch.setattr(StyleGAN2, "forward", counted)
    images = generator.images(generator.source().samples(range(18)))
    assert generator.batch_size == together
    assert [len(latent) for latent in batches][:-1] == [together] * (len(batches) - 1)
    assert sum(len(latent) for latent in batches) == len(images) == 18
    batches.clear()
    generator.images(generator.source().samples(range(18)), 9)
    assert [len(latent) for latent in batches] == [9, 9]


def test_what_is_not_open_is_told(build: Build) -> None:
    generator = build()
    assert checked_open(generator) is generator
    with pytest.raises(GeneratorError, match="generator: got 'portraits', expected an open gen"):
        checked_open("portraits")  # type: ignore[arg-type]

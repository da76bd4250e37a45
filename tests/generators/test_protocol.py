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


def test_a_cut_that_does_not_exist_names_the_generator(build: Build) -> None:
    generator = build()
    most = generator.convolutions
    for name in ("this generator", "mine.pkl"):
        message = f"value layer: got {most + 1}, expected 1 to {most}, the convolutions of {name}"
        with pytest.raises(GeneratorError, match=f"^{message}$"):
            generator.check_cut(most + 1, 1)
        message = f"expected 1 to 2, since the memory ends at convolution 2 of {name}"
        with pytest.raises(GeneratorError, match=f"^memory layers: got 3, {message}$"):
            generator.check_cut(2, 3)
        generator.source_name = "mine.pkl"


def test_what_is_not_open_is_told(build: Build) -> None:
    generator = build()
    assert checked_open(generator) is generator
    with pytest.raises(GeneratorError, match="generator: got 'portraits', expected an open gen"):
        checked_open("portraits")  # type: ignore[arg-type]


def test_a_twin_shares_memory_and_no_module_or_parameter(build: Build) -> None:
    generator = build().requires_grad_(True)
    generator.source_name = "mine.pkl"
    twin = generator.twin()
    assert twin.digest() == generator.digest() and twin.source_name == "mine.pkl"
    assert not set(twin.modules()) & set(generator.modules())
    for mine, other in zip(generator.parameters(), twin.parameters(), strict=True):
        assert mine.data_ptr() == other.data_ptr() and mine is not other
        assert mine.requires_grad and not other.requires_grad

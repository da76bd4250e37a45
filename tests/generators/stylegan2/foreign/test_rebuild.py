"""What a file may lack is filled in and said."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from regen.errors import GeneratorError
from regen.generators.registry import read_checkpoint
from tests.generators.stylegan2.foreign.checkpoints import (
    generator,
    image,
    nvidia_network,
    nvidia_tensors,
    rosinality_tensors,
    save,
    write,
)

CONDITIONAL = {"label_dim": 3, "mapping_layers": 1, "z_dim": 6}


def test_a_network_without_noise_draws_without(tmp_path: Path) -> None:
    ours = generator()
    tensors = {k: t for k, t in nvidia_tensors(ours).items() if ".noise_" not in k}
    found = read_checkpoint(write(tmp_path / "g.pkl", nvidia_network(ours, tensors=tensors)))
    for layer in range(1, ours.convolutions + 1):
        ours.conv(layer).noise_strength.zero_()
    assert torch.equal(image(found.generator), image(ours))
    assert found.notes == ()


def test_a_missing_mean_of_w_is_computed_and_said(tmp_path: Path) -> None:
    ours = generator(**CONDITIONAL)
    tensors = {k: t for k, t in nvidia_tensors(ours).items() if k != "mapping.w_avg"}
    path = write(tmp_path / "g.pkl", nvidia_network(ours, tensors=tensors))
    first, again = read_checkpoint(path), read_checkpoint(path)
    assert first.notes == ("the file has no mean of w: computed from 10,000 samples",)
    assert first.generator.digest() == again.generator.digest()
    z, label = torch.randn(3000, 6), torch.eye(3)[torch.arange(3000) % 3]
    w = ours.mapping(z, label)
    error = (first.generator.mapping.w_mean - w.mean(0)).abs() / w.std(0)
    assert error.max() < 0.1


def test_weights_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    ours = generator()
    ours.conv(3).bias[0] = float("nan")
    ours.synthesis.const[0, 0, 0] = float("inf")
    path = write(tmp_path / "g.pkl", nvidia_network(ours))
    message = "g.pkl: weights: got NaN or infinity in synthesis.const, synthesis.convs.3.bias, exp"
    with pytest.raises(GeneratorError, match=message):
        read_checkpoint(path)


def test_missing_noise_is_drawn_and_said(tmp_path: Path) -> None:
    ours = generator()
    tensors = {k: t for k, t in rosinality_tensors(ours).items() if not k.startswith("noises.")}
    path = save(tmp_path / "g.pt", {"g_ema": tensors, "latent_avg": ours.mapping.w_mean})
    found = read_checkpoint(path)
    assert found.notes == ("the file has no noise maps: made from a fixed seed",)
    maps = [found.generator.conv(i).noise_const for i in (6, 7)]
    assert all(0.9 < noise.std() < 1.1 for noise in maps) and not torch.equal(*maps)
    assert read_checkpoint(path).generator.digest() == found.generator.digest()

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from regen.errors import TrainingError
from regen.files.tensor_file import digest
from regen.generators.family import Checkpoint
from regen.generators.stylegan2.files import save_stylegan2
from regen.generators.stylegan2.generator import StyleGAN2
from regen.generators.stylegan2.training import initialization
from regen.generators.stylegan2.training.discriminator import Discriminator
from regen.generators.stylegan2.training.discriminator_init import as_stored
from regen.generators.stylegan2.training.initialization import (
    Initial,
    initialize_networks,
    needs_discriminator_warmup,
    open_initial,
)
from regen.generators.stylegan2.training.settings import InitSettings, TrainingSettings

CPU = torch.device("cpu")
SIZE = 16


@pytest.fixture
def with_judge(tiny: StyleGAN2, tmp_path: Path) -> Path:
    """A file of the tiny generator and a discriminator of its size."""
    path = tmp_path / "both.safetensors"
    save_stylegan2(path, tiny, card={}, discriminator=as_stored(Discriminator(tiny.config)))
    return path


def test_random_networks_depend_on_the_seed_alone(short: TrainingSettings) -> None:
    init = InitSettings(SIZE, channel_base=128, channel_max=8)
    made = []
    for seed in (0, 0, 1):
        torch.randn(3)
        networks = initialize_networks(init, replace(short, seed=seed), None, CPU, print)
        made.append(digest(networks.generator.state_dict()))
        made.append(digest(networks.discriminator.state_dict()))
        assert networks.init_digest == ""
    assert made[:2] == made[2:4] and not set(made[:2]) & set(made[4:])


def test_from_a_generator_with_its_discriminator(with_judge: Path, short: TrainingSettings) -> None:
    init = InitSettings(SIZE, with_judge)
    initial, said = open_initial(init), list[str]()
    assert initial is not None and not needs_discriminator_warmup(initial, SIZE)
    networks = initialize_networks(init, short, initial, CPU, said.append)
    assert networks.init_digest == initial.generator.digest()
    new, old = networks.generator.state_dict(), initial.generator.state_dict()
    assert torch.equal(new["synthesis.const"], old["synthesis.const"])
    assert said == [
        f"Generator initialized from {with_judge}: 54 tensors taken over, 0 new",
        "Discriminator: 18 tensors taken over, 0 new",
    ]


@pytest.mark.parametrize(("wait", "words"), [(0.0, ""), (4.0, "; it trains alone for 4 kimg")])
def test_from_a_generator_without_one(
    tiny: StyleGAN2, short: TrainingSettings, wait: float, words: str
) -> None:
    initial, said = Initial("mine", tiny, None), list[str]()
    assert needs_discriminator_warmup(initial, SIZE)
    settings = replace(short, generator_wait_kimg=wait)
    initialize_networks(InitSettings(SIZE), settings, initial, CPU, said.append)
    assert said[1] == (
        f"Discriminator: new, as that file has none that fits{words}; the generator's step size "
        "is 0.002"
    )


def test_a_discriminator_of_another_size_needs_its_warm_up(with_judge: Path) -> None:
    initial = open_initial(InitSettings(32, with_judge))
    assert needs_discriminator_warmup(initial, 32) and not needs_discriminator_warmup(initial, 16)
    assert not needs_discriminator_warmup(None, 16)


def test_the_file_is_read_once(with_judge: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = list[object]()
    real = initialization.open_checkpoint

    def counted(name: str | Path) -> Checkpoint:
        read.append(name)
        return real(name)

    monkeypatch.setattr(initialization, "open_checkpoint", counted)
    initial = open_initial(InitSettings(SIZE, with_judge))
    assert initial is not None and initial.discriminator is not None and read == [with_judge]
    assert open_initial(InitSettings(SIZE)) is None and len(read) == 1


def test_another_family(tiny: StyleGAN2, monkeypatch: pytest.MonkeyPatch) -> None:
    class Other(torch.nn.Module):
        family = "toy"

    found = Checkpoint(Other(), None, "a test")  # type: ignore[arg-type]
    monkeypatch.setattr(initialization, "open_checkpoint", lambda name: found)
    with pytest.raises(TrainingError) as raised:
        open_initial(InitSettings(SIZE, "toy.safetensors"))
    assert str(raised.value) == (
        "generator to start from: family of toy.safetensors: got toy, expected stylegan2"
    )


def test_float16_clamps_activations(
    short: TrainingSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    init = InitSettings(SIZE, channel_base=128, channel_max=8)
    coarse = replace(short, precision="fp16")
    with pytest.raises(TrainingError, match="precision: got fp16 on cpu"):
        initialize_networks(init, coarse, None, CPU, print)
    monkeypatch.setattr(initialization, "training_dtype", lambda precision, device: torch.float16)
    clamped = initialize_networks(init, coarse, None, CPU, print)
    assert clamped.generator.config.conv_clamp == 256

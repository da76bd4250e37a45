"""Files as people have them, which the tools themselves do not write: opened, or told why not."""

from __future__ import annotations

import collections
import datetime
import decimal
import pickle
import sys
import types
import uuid
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from torch import Tensor, nn

from regen.errors import GeneratorError, UnpicklingError
from regen.generators.registry import CheckpointWarning, open_generator, read_checkpoint
from regen.generators.stylegan2.generator import StyleGAN2
from tests.generators.stylegan2.foreign.checkpoints import (
    discriminator_network,
    discriminator_tensors,
    generator,
    image,
    nvidia_network,
    nvidia_tensors,
    rosinality_tensors,
    save,
    snapshot,
    tensorflow_network,
    write,
)
from tests.unpickling import writer

CLAMPS = "a state dict does not say whether activations are clamped: they are not"


def with_mean(of: StyleGAN2) -> dict[str, Any]:
    """What rosinality's tools save."""
    return {"g_ema": rosinality_tensors(of), "latent_avg": of.mapping.w_mean}


def as_numpy(tensors: dict[str, Tensor]) -> dict[str, Any]:
    return {name: tensor.numpy() for name, tensor in tensors.items()}


def same(path: Path, ours: StyleGAN2, notes: tuple[str, ...] = ()) -> bool:
    found = read_checkpoint(path)
    assert found.notes == notes
    assert torch.equal(image(found.generator), image(ours))
    return found.generator.digest() == ours.digest()


def beside() -> dict[str, Any]:
    """Objects that training scripts keep."""
    network = nn.Linear(2, 2)
    optimiser = torch.optim.SGD(network.parameters(), lr=0.1)
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimiser, milestones=[3, 3, 9])
    zone = datetime.timezone(datetime.timedelta(hours=1))
    return {
        "schedule": schedule.state_dict(),
        "when": datetime.datetime(2021, 3, 4, 5, 6, tzinfo=zone),
        "day": [datetime.date(2021, 3, 4), datetime.timedelta(1, 2, 3), datetime.time(1, 2)],
        "counts": collections.Counter("aabc"),
        "last": collections.deque([1, 2, 3], maxlen=5),
        "options": types.SimpleNamespace(lr=0.1),
        "id": uuid.UUID(int=5),
        "price": decimal.Decimal("0.1"),
        "version": torch.__version__,
        "seeds": range(4),
        "part": slice(1, 2),
        "random": (np.random.RandomState(0).get_state(), torch.get_rng_state()),
        "losses": [0.5] * 100_000,
    }


@pytest.mark.parametrize("zipped", [True, False])
def test_harmless_objects_beside_the_network(tmp_path: Path, zipped: bool) -> None:
    ours = generator()
    path = save(tmp_path / "g.pt", {**with_mean(ours), **beside()}, zipped)
    assert same(path, ours)


@pytest.mark.parametrize("protocol", range(2, 6))
def test_harmless_objects_in_a_pickle(tmp_path: Path, protocol: int) -> None:
    ours = generator()
    content = {
        "g_ema": as_numpy(rosinality_tensors(ours)),
        "latent_avg": ours.mapping.w_mean.numpy(),
    }
    (tmp_path / "g.pkl").write_bytes(pickle.dumps({**content, **beside()}, protocol))
    assert same(tmp_path / "g.pkl", ours)


@pytest.mark.parametrize(
    "mean",
    [
        lambda w: w.numpy(),
        lambda w: w.double().numpy(),
        lambda w: w.numpy().astype(">f4"),
        lambda w: np.tile(w.numpy(), (8, 1)),
        lambda w: w[None],
    ],
    ids=["float32", "float64", "big-endian", "one for each layer", "one row"],
)
def test_a_mean_of_w_in_other_forms(tmp_path: Path, mean: Any) -> None:
    ours = generator()
    content = {"g_ema": rosinality_tensors(ours), "latent_avg": mean(ours.mapping.w_mean)}
    assert same(save(tmp_path / "g.pt", content), ours)


def test_a_mean_of_w_beside_a_network_that_lies_deeper(tmp_path: Path) -> None:
    ours = generator()
    assert same(save(tmp_path / "g.pt", {"ckpt": with_mean(ours), "step": 3}), ours)


@pytest.mark.parametrize("key", ["G_ema", "model", "generator", "net", "ema", "weights"])
def test_other_keys_at_the_top(tmp_path: Path, key: str) -> None:
    ours = generator()
    content = {key: rosinality_tensors(ours), "latent_avg": ours.mapping.w_mean}
    path = save(tmp_path / "g.pt", content)
    assert same(path, ours)
    assert read_checkpoint(path).origin == f"checkpoint of rosinality's, {key}"


def test_a_key_that_a_terminal_would_obey(tmp_path: Path) -> None:
    ours = generator()
    content = {
        "\x1b[2J\u202e" + "k" * 500: rosinality_tensors(ours),
        "latent_avg": ours.mapping.w_mean,
    }
    path = save(tmp_path / "g.pt", content)
    assert same(path, ours)
    assert len(read_checkpoint(path).origin) < 100


def test_a_list_of_states(tmp_path: Path) -> None:
    ours = generator()
    content = [rosinality_tensors(ours), rosinality_discriminator()]
    found = read_checkpoint(save(tmp_path / "g.pt", content))
    assert torch.equal(found.generator.synthesis.const, ours.synthesis.const)
    assert found.discriminator is not None


@pytest.mark.parametrize("place", ["G_ema", "", "ckpt.model_ema"])
@pytest.mark.parametrize("form", ["torch", "numpy", "safetensors", "wrapped"])
def test_state_dicts_with_nvidia_s_names(tmp_path: Path, place: str, form: str) -> None:
    ours = generator(label_dim=3, z_dim=6)
    tensors: dict[str, Any] = nvidia_tensors(ours)
    path = tmp_path / "g.pt"
    if form == "safetensors":
        prefix = f"{place}." if place else ""
        safetensors.torch.save_file({f"{prefix}{n}": t for n, t in tensors.items()}, path)
    else:
        if form == "numpy":
            tensors = as_numpy(tensors)
        if form == "wrapped":
            tensors = {f"module.{name}": tensor for name, tensor in tensors.items()}
        for key in reversed(place.split(".") if place else []):
            tensors = {key: tensors}
        save(path, tensors)
    assert same(path, ours, (CLAMPS,))
    assert read_checkpoint(path).origin == f"state dict of NVIDIA's, {place or 'one network'}"


def test_a_state_dict_with_its_discriminator(tmp_path: Path) -> None:
    judge = discriminator_tensors()
    content = {
        "G_ema": nvidia_tensors(generator()),
        "D": {f"module.{n}": t for n, t in judge.items()},
    }
    found = read_checkpoint(save(tmp_path / "g.pt", content))
    assert found.left_behind is None and found.discriminator is not None
    assert found.discriminator.tensors.keys() == judge.keys()
    assert found.discriminator.config.stddev_group == 4


@pytest.mark.parametrize("prefix", ["", "g_ema.", "module."])
def test_rosinality_s_names_in_safetensors(tmp_path: Path, prefix: str) -> None:
    ours = generator()
    tensors = {f"{prefix}{n}": t.contiguous() for n, t in rosinality_tensors(ours).items()}
    path = tmp_path / "g.safetensors"
    safetensors.torch.save_file({**tensors, "latent_avg": ours.mapping.w_mean}, path)
    assert same(path, ours)
    with pytest.warns(CheckpointWarning, match="g.safetensors g-regen.safetensors$"):
        assert open_generator(path).digest() == ours.digest()


def test_safetensors_of_two_networks(tmp_path: Path) -> None:
    trained, average = generator(), generator()
    tensors = {f"g.{n}": t.contiguous() for n, t in rosinality_tensors(trained).items()}
    tensors |= {f"g_ema.{n}": t.contiguous() for n, t in rosinality_tensors(average).items()}
    safetensors.torch.save_file(tensors, tmp_path / "g.safetensors")
    found = read_checkpoint(tmp_path / "g.safetensors").generator
    assert torch.equal(found.synthesis.const, average.synthesis.const)
    found = read_checkpoint(tmp_path / "g.safetensors", "G").generator
    assert torch.equal(found.synthesis.const, trained.synthesis.const)


def test_safetensors_of_something_else(tmp_path: Path) -> None:
    safetensors.torch.save_file({"unet.weight": torch.ones(3)}, tmp_path / "g.safetensors")
    with pytest.raises(
        GeneratorError, match=r"g.safetensors does not hold a generator that regen knows: exp"
    ):
        open_generator(tmp_path / "g.safetensors")


def test_a_wrapped_discriminator_comes_along(tmp_path: Path) -> None:
    ours = generator()
    judge = {f"module.{name}": tensor for name, tensor in rosinality_discriminator().items()}
    found = read_checkpoint(save(tmp_path / "g.pt", {**with_mean(ours), "d": judge}))
    assert found.left_behind is None and found.discriminator is not None


def rosinality_discriminator() -> dict[str, Tensor]:
    """The state of a small one."""
    names = {"convs.0.0": [8, 3, 1, 1], "final_conv.0": [8, 9, 3, 3]}
    for block in (1, 2, 3):
        names |= {f"convs.{block}.conv1.0": [8, 8, 3, 3], f"convs.{block}.conv2.1": [8, 8, 3, 3]}
        names[f"convs.{block}.skip.1"] = [8, 8, 1, 1]
    state = {f"{name}.weight": torch.randn(shape) for name, shape in names.items()}
    biased = [name for name in names if ".skip." not in name]
    for name in biased:
        layer, _, number = name.rpartition(".")
        state[f"{layer}.{int(number) + 1}.bias"] = torch.randn(8)
    state |= {"final_linear.0.weight": torch.randn(8, 128), "final_linear.0.bias": torch.randn(8)}
    return state | {
        "final_linear.1.weight": torch.randn(1, 8),
        "final_linear.1.bias": torch.randn(1),
    }


@pytest.mark.parametrize(
    "content",
    [
        {"d": rosinality_discriminator()},
        rosinality_discriminator(),
        {"D": {f"module.{n}": t for n, t in rosinality_discriminator().items()}},
        {"D": discriminator_tensors()},
        discriminator_tensors(),
    ],
)
def test_a_discriminator_alone_is_told(tmp_path: Path, content: dict[str, Any]) -> None:
    with pytest.raises(GeneratorError) as caught:
        read_checkpoint(save(tmp_path / "d.pt", content))
    assert str(caught.value) == (
        f"{tmp_path / 'd.pt'} holds a discriminator alone: expected a generator, which makes the "
        "images; take the file that its generator was saved to"
    )


def test_pickles_of_a_discriminator_alone_are_told(tmp_path: Path) -> None:
    judge = discriminator_network(discriminator_tensors())
    tf = writer.tensorflow_network("D", {}, {"Output/weight": np.ones((8, 1), np.float32)})
    for content in (judge, {"G": None, "D": judge, "G_ema": None}, tf):
        with pytest.raises(GeneratorError, match="g.pkl holds a discriminator alone: expected a"):
            read_checkpoint(write(tmp_path / "g.pkl", content))


@pytest.mark.parametrize(
    "name",
    ["data_parallel DataParallel", "distributed DistributedDataParallel"],
)
def test_data_parallel_around_a_pickled_network(tmp_path: Path, name: str) -> None:
    ours = generator()
    state = writer.module_state({}, {}, {"module": nvidia_network(ours)}, device_ids=[0, 1])
    around = writer.Call(f"torch.nn.parallel.{name}", state=state, new=True)
    assert same(write(tmp_path / "g.pkl", snapshot(around)), ours)


class Generator(nn.Module):
    """A module whose class only the script that saved it has."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3)


@pytest.mark.parametrize("form", ["torch", "old", "pickle", "parallel", "beside"])
def test_whoever_saved_a_whole_module_is_told_to_save_its_state(
    tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = types.ModuleType("model")
    module.__file__ = __file__  # where torch looks for the source text, which old files hold
    monkeypatch.setitem(sys.modules, "model", module)
    monkeypatch.setattr(module, "Generator", Generator, raising=False)
    monkeypatch.setattr(Generator, "__module__", "model")
    network: Any = Generator()
    if form == "parallel":
        network = nn.DataParallel(network)
    if form == "beside":
        network = {"g_ema": network, "step": 3}
    if form == "pickle":
        (tmp_path / "g.pt").write_bytes(pickle.dumps(network))
    else:
        save(tmp_path / "g.pt", network, form != "old")
    with pytest.raises(UnpicklingError) as caught:
        read_checkpoint(tmp_path / "g.pt")
    assert str(caught.value) == (
        f"{tmp_path / 'g.pt'}: it holds a whole module, which needs code to be run: it names "
        "model.Generator: expected a state dict; where it was made, save module.state_dict() "
        "instead of the module"
    )


def test_a_class_of_somebody_s_own_is_named_and_no_module_is_spoken_of(tmp_path: Path) -> None:
    content = {"g_ema": rosinality_tensors(generator()), "meter": writer.Call("utils AverageMeter")}
    path = writer.write_pickle(tmp_path / "g.pkl", content)
    with pytest.raises(UnpicklingError, match=r"it names utils.AverageMeter, which no generator"):
        read_checkpoint(path)


def test_tensorflow_s_are_as_they_were(tmp_path: Path) -> None:
    ours = generator(label_dim=3, z_dim=6)
    network = tensorflow_network(ours, label_size=3, latent_size=6)
    assert same(write(tmp_path / "g.pkl", network), ours)

"""Small honest files of every kind that is read, to be damaged; and damaged networks."""

from __future__ import annotations

import argparse
import collections
import io
import pickle
import tempfile
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import safetensors.torch
import torch
from torch import Tensor

from regen.files import tensor_file
from regen.generators.munit.config import LAYOUTS
from regen.generators.munit.files import save_munit
from regen.generators.munit.generator import Translator
from regen.generators.rfr.files import save_rfr
from regen.generators.rfr.generator import Inpainter
from regen.generators.rfr.original import original_state as rfr_state
from regen.generators.stylegan2.discriminator import Discriminator, DiscriminatorConfig
from regen.generators.stylegan2.files import save_stylegan2
from regen.generators.stylegan2.generator import StyleGAN2
from tests.generators.stylegan2.foreign.checkpoints import (
    discriminator_network,
    discriminator_tensors,
    generator,
    nvidia_network,
    nvidia_tensors,
    rosinality_tensors,
    snapshot,
    tensorflow_network,
)
from tests.helpers import munit, rfr
from tests.unpickling import writer
from tests.unpickling.fuzz_damage import NASTY


def pickles() -> list[bytes]:
    """Bare pickles of every form, with tensors and arrays in most of them."""
    torch.manual_seed(0)
    weight = torch.randn(3, 2)
    state = writer.module_state({"weight": weight}, {"w_avg": weight[0]}, {}, z_dim=4)
    network = {"G_ema": writer.persistent("Generator", state), "D": None}
    kwargs = {"resolution": 4, "psi": np.float32(0.5)}
    tf = writer.tensorflow_network("Gs", kwargs, {"w": np.ones((2, 3), np.float32)})
    plain = {"a": [1, 2.5, "x", b"y", None, True], "b": ({1, 2}, frozenset("a"), 2**70, 1j)}
    files = [writer.pickled(network, 3), writer.pickled(network), writer.pickled((tf,) * 3)]
    return files + [pickle.dumps({**plain, "array": np.eye(2)}, protocol) for protocol in range(6)]


def torch_files() -> list[bytes]:
    """Files of torch.save, in both forms."""
    torch.manual_seed(0)
    weight = torch.randn(3, 2)
    space = argparse.Namespace(size=4, array=np.arange(4.0), device=torch.device("cpu"))
    content = {"g_ema": {"w": weight, "t": weight.t()}, "args": space}
    beside = {"d": collections.Counter("aab"), "q": collections.deque([1]), "v": torch.__version__}
    return [saved({**content, **beside}, zipped) for zipped in (True, False)]


def safetensors_files() -> list[bytes]:
    """Files of ours and of another tool."""
    torch.manual_seed(0)
    ours = small()
    config = DiscriminatorConfig(8, "resnet", (4, 4))
    judge = Discriminator(config, {name: torch.randn(shape) for name, shape in config.shapes()})
    deltas = {"synthesis.convs.2.weight": torch.randn(4, 4, 3, 3)}
    header = {"format": "rewrite", "version": 1, "family": "stylegan2", "base": "0" * 64}
    theirs = {name: tensor.contiguous() for name, tensor in rosinality_tensors(ours).items()}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a"
        others = [(save_rfr, fills()), *((save_munit, translates(layout)) for layout in LAYOUTS)]
        changing = []
        for save, other in others:
            save(path, other, card={})
            changing.append(path.read_bytes())
        save_stylegan2(path, ours, card={"licence": "CC0"})
        files = [path.read_bytes()]
        save_stylegan2(path, ours, card={}, discriminator=judge)
        files.append(path.read_bytes())
        tensor_file.save(path, deltas, {**header, "settings": {"fit": {"steps": 3}}})
        files.append(path.read_bytes())
    return [*files, safetensors.torch.save(theirs), *changing]


def small() -> StyleGAN2:
    """A generator of 8x8."""
    return generator(resolution=8, channel_base=32, channel_max=4, z_dim=4, w_dim=4)


def fills() -> Inpainter:
    """A generator that fills holes in images of 32x32."""
    return rfr.lively(width=8, rounds=1)


def translates(layout: str) -> Translator:
    """A generator that translates images of 32x32."""
    return munit.lively(layout)


def damaged_network(random: Random) -> bytes:
    """A whole checkpoint of any tool, of a network with wrong tensors, names or attributes."""
    torch.manual_seed(random.randrange(1 << 30))
    kind = random.choice(("nvidia", "state", "tensorflow", "rosinality", "rfr"))
    if kind == "rfr":
        return saved(_damaged_rfr(random), True)  # the other form holds addresses
    ours = small()
    if kind == "nvidia":
        tensors = damaged_tensors(nvidia_tensors(ours), random)
        tensors = {name: tensor for name, tensor in tensors.items() if isinstance(tensor, Tensor)}
        network = nvidia_network(ours, tensors=tensors, change=_attributes(random), c_dim=0)
        judge = discriminator_network(discriminator_tensors(8, 4))
        return writer.pickled(random.choice((network, snapshot(network, D=judge))))
    if kind == "tensorflow":
        network = tensorflow_network(ours, **{random.choice(_ARGUMENTS): random.choice(NASTY[:-1])})
        return writer.pickled(random.choice((network, (network,) * 3)))
    state = nvidia_tensors(ours) if kind == "state" else rosinality_tensors(ours)
    content: dict[str, Any] = damaged_tensors(state, random)
    if random.random() < 0.5:
        content = {random.choice(("g_ema", "G_ema", "model", "g")): content}
        content |= {"latent_avg": random.choice((ours.mapping.w_mean, *NASTY[:-1]))}
        content |= {"regen": {random.choice(_EXTRA): random.choice(NASTY[:-1])}}
    if random.random() < 0.2:
        tensors = {n: t.contiguous() for n, t in content.items() if isinstance(t, Tensor)}
        return safetensors.torch.save({name: tensor.clone() for name, tensor in tensors.items()})
    return saved(content, random.random() < 0.8)


def _damaged_rfr(random: Random) -> dict[str, Any]:
    """What torch saves of a network that fills holes."""
    content: dict[str, Any] = damaged_tensors(rfr_state(fills()), random)
    if random.random() < 0.7:
        content = {random.choice(("generator", "state_dict", "g")): content, "n_iter": 3}
    if random.random() < 0.7:
        content["regen"] = {"rounds": 1, "size": 32, random.choice(_GIVEN): _nasty(random)}
    return content


def _nasty(random: Random) -> Any:
    return random.choice(NASTY[:-1])


_GIVEN = ("rounds", "size", "width", "batches")
_ARGUMENTS = ("resample_kernel", "fmap_base", "conv_clamp", "label_size", "latent_size")
_ARGUMENTS += ("num_fp16_res", "mapping_lrmul", "architecture", "nonlinearity")
_EXTRA = ("conv_clamp", "num_fp16_res", "mapping_lr_multiplier", "channel_base")


def _attributes(random: Random) -> Any:
    """Changes an attribute of a module now and then."""
    names = ("conv_clamp", "activation", "architecture", "bias_gain", "num_fp16_res", "z_dim")
    names += ("c_dim", "use_fp16", "group_size")

    def change(_: str, attributes: dict[str, Any]) -> None:
        if random.random() < 0.05:
            attributes[random.choice(names)] = random.choice(NASTY[:-1])

    return change


def damaged_tensors(tensors: dict[str, Tensor], random: Random) -> dict[str, Any]:
    damaged: dict[str, Any] = dict(tensors)
    for _ in range(random.randint(0, 2)):
        name = random.choice(list(damaged))
        tensor = damaged[name]
        if not isinstance(tensor, Tensor):
            continue
        match random.randrange(9):
            case 0:
                del damaged[name]
            case 1:
                damaged[name] = tensor.flatten()
            case 2:
                damaged[name] = tensor[None]
            case 3:
                damaged[name] = tensor.to(random.choice((torch.int64, torch.bool, torch.half)))
            case 4:
                damaged[name] = tensor * random.choice((float("nan"), float("inf"), 1e30))
            case 5:
                damaged[name] = torch.zeros(random.choice(((0,), (0, 3), (), (1, 2, 3, 4, 5))))
            case 6:
                damaged[name] = torch.zeros(1).expand(random.choice((1000, 100_000)))
            case 7:
                damaged[name.replace("1", "9")] = tensor
            case 8:
                damaged[name] = random.choice((*NASTY[:-1], np.ones(3), np.float32(1)))
    return damaged


def saved(content: object, zipped: bool) -> bytes:
    file = io.BytesIO()
    torch.save(content, file, _use_new_zipfile_serialization=zipped)
    return file.getvalue()

"""What the pickles that are written for NVIDIA's code are made of."""

from __future__ import annotations

import pickletools
from pathlib import Path

import torch

from regen.generators.registry import write_checkpoint
from regen.generators.stylegan2.foreign.persistent import CLASSES
from regen.unpickling import globals_of, read_pickle
from tests.generators.stylegan2.foreign.checkpoints import generator, nvidia_tensors


def test_a_written_pickle_holds_no_source_but_ours_and_each_network_once(tmp_path: Path) -> None:
    ours, path = generator(), tmp_path / "g.pkl"
    notes = write_checkpoint(path, ours, None, "nvidia", origin="test")
    assert notes == ["there is no discriminator to write: D is empty, so training cannot continue"]
    texts = [arg for _, arg, _ in pickletools.genops(path.read_bytes()) if isinstance(arg, str)]
    assert texts.count(CLASSES) == 1
    assert sum(len(text) > 100 for text in texts) == 1  # that one
    tensors = sum(t.numel() * t.element_size() for t in ours.state_dict().values())
    assert path.stat().st_size < tensors + 100_000  # G and G_ema are one
    assert {name.name for name in globals_of(path)} == {
        "torch_utils.persistence._reconstruct_persistent_obj",
        "collections.OrderedDict",
        "builtins.set",
        "torch._utils._rebuild_parameter",
        "torch._utils._rebuild_tensor_v2",
        "torch.storage._load_from_bytes",
        "torch.FloatStorage",
    }
    assert all(name.known for name in globals_of(path))


def test_a_written_pickle_has_nvidia_s_names(tmp_path: Path) -> None:
    ours = generator(label_dim=2)
    write_checkpoint(tmp_path / "g.pkl", ours, None, "nvidia", origin="test")
    value = read_pickle(tmp_path / "g.pkl")
    assert isinstance(value, dict)
    assert list(value) == ["G", "D", "G_ema", "training_set_kwargs", "augment_pipe"]
    found = {}

    def walk(instance: object, prefix: str) -> None:
        state = instance.state  # type: ignore[attr-defined]
        for room in ("_parameters", "_buffers"):
            found.update({f"{prefix}{name}": tensor for name, tensor in state[room].items()})
        for name, part in state["_modules"].items():
            walk(part, f"{prefix}{name}.")

    walk(value["G_ema"], "")
    wanted = nvidia_tensors(ours)
    blocks = {f"synthesis.b{r}.resample_filter" for r in (4, 8, 16, 32)}
    assert found.keys() == wanted.keys() | blocks
    assert all(torch.equal(found[name], tensor) for name, tensor in wanted.items())

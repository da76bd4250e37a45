"""The content of a value says which tool wrote it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from regen.errors import GeneratorError
from regen.generators.stylegan2.foreign.reading import read_foreign
from regen.unpickling import read_pickle, read_torch_file
from tests.generators.stylegan2.foreign.checkpoints import (
    generator,
    nvidia_network,
    rosinality_tensors,
    save,
    snapshot,
    tensorflow_network,
    write,
)


def test_each_tool_is_known_by_what_it_wrote(tmp_path: Path) -> None:
    ours = generator()
    values = [
        read_pickle(write(tmp_path / "a", snapshot(nvidia_network(ours)))),
        read_pickle(write(tmp_path / "b", tensorflow_network(ours))),
        read_torch_file(save(tmp_path / "c", {"g_ema": rosinality_tensors(ours)})),
    ]
    found = [read_foreign(value, "G_ema", "it") for value in values]
    origins = [checkpoint.origin for checkpoint in found if checkpoint is not None]
    tools = ("pickle of NVIDIA's, G_ema", "TensorFlow pickle of NVIDIA's, Gs")
    assert origins == [*tools, "checkpoint of rosinality's, g_ema"]


@pytest.mark.parametrize("value", [None, 3, [], {}, {"weights": torch.zeros(3)}])
def test_other_values_are_of_no_tool(value: object) -> None:
    assert read_foreign(value, "G_ema", "it") is None


def test_messages_begin_with_the_place(tmp_path: Path) -> None:
    value = read_pickle(write(tmp_path / "a", snapshot(nvidia_network(generator()))))
    with pytest.raises(GeneratorError, match="^cats.pkl: network: got G, expected G_ema"):
        read_foreign(value, "G", "cats.pkl")

"""Names of the original's tensors: all of them, and their layout."""

from __future__ import annotations

import torch

from regen.generators.rfr.config import NORMS, RFRConfig
from regen.generators.rfr.naming import count_names, is_transposed, tensor_names
from regen.generators.rfr.network import RFR


def original_network() -> RFR:
    with torch.device("meta"):
        return RFR(RFRConfig())


def test_every_tensor_has_a_name_of_its_own() -> None:
    network = original_network()
    pairs = list(tensor_names(network))
    theirs, own = map(set, zip(*pairs, strict=True))
    assert own == set(network.state_dict()) and len(theirs) == len(pairs)
    assert len(theirs | set(count_names(network))) == 114  # of the published file
    assert len(count_names(network)) == NORMS


def test_names_and_shapes_of_the_published_file() -> None:
    network = original_network()
    own = network.state_dict()
    shapes = {}
    for theirs, name in tensor_names(network):
        shape = list(own[name].shape)
        if is_transposed(network, name):
            shape[:2] = shape[1::-1]
        shapes[theirs] = shape
    assert shapes["Pconv1.weight"] == [64, 3, 7, 7]
    assert shapes["RFRModule.dec_3.0.weight"] == [1024, 512, 4, 4]
    assert shapes["RFRModule.dec_1.0.weight"] == [384, 64, 4, 4]
    assert shapes["RFRModule.dec_5.0.weight"] == [512, 1024, 3, 3]
    assert shapes["RFRModule.att.att.ratio"] == [1]
    assert shapes["Tconv.weight"] == [64, 64, 4, 4]
    assert shapes["tail1.weight"] == [32, 67, 3, 3]
    assert shapes["tail2.conv2.weight"] == [8, 8, 3, 3]
    assert shapes["out.weight"] == [3, 64, 3, 3]

"""`regen.unpickling`: values come back, whoever wrote them and in whichever form."""

import argparse
import collections
import pathlib
import pickle

import numpy as np
import pytest
import torch

from regen.errors import UnpicklingError
from regen.unpickling import Instance, globals_of, read_pickle, read_torch_file, sniff
from tests.unpickling import writer

PLAIN = {
    "none": None,
    "truth": [True, False],
    "integers": [0, 1, 255, 256, 65535, 65536, -1, 2**31, -(2**40), 2**70],
    "numbers": [0.0, -1.5, 1e300, float("inf")],
    "texts": ["", "a", "ü€😀", "a\nb\\", "x" * 300, "y" * 70_000],
    "bytes": [b"", b"\x00\xff", b"z" * 300, b"w" * 9000, bytearray(b"abc"), bytearray(b"d" * 9000)],
    "tuples": [(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)],
    "sets": [set(), {1, 2}, frozenset({"a"})],
    "keys": {1: 2, (1, "a"): 3, None: 4, 2.5: 6},
    "complex": 1 + 2j,
}


@pytest.mark.parametrize("protocol", range(6))
def test_plain_data_of_every_protocol(tmp_path, protocol):
    path = tmp_path / "plain"
    path.write_bytes(pickle.dumps(PLAIN, protocol))
    assert read_pickle(path) == PLAIN
    assert sniff(path) == "pickle"
    assert all(named.known for named in globals_of(path))


def tensors():
    """Tensors of several dtypes and layouts, among them two views of one storage."""
    weight = torch.randn(4, 3, 2, 2)
    return {
        "weight": weight,
        "part": weight[1:3, :, 0],
        "channels_last": weight.to(memory_format=torch.channels_last),
        "half": torch.randn(5).half(),
        "bfloat16": torch.randn(5).bfloat16(),
        "double": torch.randn(2, 2).double(),
        "integers": torch.arange(7),
        "truth": torch.tensor([True, False]),
        "scalar": torch.tensor(0.5),
        "empty": torch.zeros(0, 3),
        "large": torch.randn(2000),
    }


def check_tensors(got):
    expected = tensors_of_seed()
    assert got.keys() == expected.keys()
    for name, tensor in expected.items():
        assert torch.equal(got[name], tensor), name
        assert got[name].dtype == tensor.dtype
        assert got[name].stride() == tensor.stride()
        assert not got[name].requires_grad


def tensors_of_seed():
    torch.manual_seed(0)
    return tensors()


@pytest.mark.parametrize("protocol", range(2, 6))
def test_tensors_as_torch_pickles_them_today(tmp_path, protocol):
    (tmp_path / "a").write_bytes(pickle.dumps(tensors_of_seed(), protocol))
    check_tensors(read_pickle(tmp_path / "a"))


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_tensors_as_the_writer_pickles_them(tmp_path, protocol):
    check_tensors(
        read_pickle(writer.write_pickle(tmp_path / "a", tensors_of_seed(), protocol=protocol))
    )


@pytest.mark.parametrize("zipped", [True, False])
def test_torch_files_of_both_forms(tmp_path, zipped):
    path = tmp_path / "a.bin"
    torch.save(tensors_of_seed(), path, _use_new_zipfile_serialization=zipped)
    check_tensors(read_torch_file(path))
    assert sniff(path) == "torch"
    names = {named.name: named.known for named in globals_of(path)}
    assert names["torch.BFloat16Storage"] and names["torch._utils._rebuild_tensor_v2"]


@pytest.mark.parametrize("zipped", [True, False])
def test_a_training_checkpoint(tmp_path, zipped):
    network = torch.nn.Linear(3, 2)
    optimizer = torch.optim.Adam(network.parameters())
    network(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    arguments = argparse.Namespace(
        size=256, path=pathlib.PurePosixPath("data/faces"), device=torch.device("cuda", 0), lr=2e-3
    )
    saved = {
        "g_ema": network.state_dict(),
        "module": torch.nn.ParameterList([torch.nn.Parameter(torch.ones(2))]).state_dict(),
        "g_optim": optimizer.state_dict(),
        "args": arguments,
        "dtype": torch.float16,
        "size": torch.Size([1, 2]),
        "losses": collections.defaultdict(list, {"d": [1.0]}),
    }
    torch.save(saved, tmp_path / "a", _use_new_zipfile_serialization=zipped)
    got = read_torch_file(tmp_path / "a")
    assert type(got["g_ema"]) is dict
    assert torch.equal(got["g_ema"]["weight"], network.weight)
    assert torch.equal(got["module"]["0"], torch.ones(2))
    moments = optimizer.state_dict()["state"][0]["exp_avg"]
    assert torch.equal(got["g_optim"]["state"][0]["exp_avg"], moments)
    assert got["dtype"] == torch.float16
    assert got["size"] == (1, 2)
    assert got["losses"] == {"d": [1.0]}
    assert isinstance(got["args"], Instance)
    assert got["args"].class_name == "Namespace"
    assert got["args"].state["size"] == 256
    assert got["args"].state["device"].arguments == ("cuda", 0)
    assert got["args"].state["path"].arguments == ("data", "faces")


def test_parameters_and_shared_storages_of_a_torch_file(tmp_path):
    weight = torch.arange(6.0)
    torch.save({"a": torch.nn.Parameter(weight), "b": weight[2:4]}, tmp_path / "a")
    got = read_torch_file(tmp_path / "a")
    got["a"][2] = 9
    assert got["b"].tolist() == [9, 3]


@pytest.mark.parametrize("protocol", [3, 4])
def test_an_nvidia_pickle(tmp_path, protocol):
    weight, steps = torch.randn(4, 4), torch.tensor(3)
    layer = writer.persistent("Layer", writer.module_state({"weight": weight}, {}, {}, gain=0.5))
    top = writer.module_state(
        {}, {"w_avg": steps}, {"b4": layer, "none": None}, _init_kwargs=writer.easy({"z_dim": 4})
    )
    network = writer.persistent("Generator", top, module_src="x = 1\n" * 10_000)
    data = {"G_ema": network, "training_set_kwargs": writer.easy({"path": "/x"}), "D": None}
    got = read_pickle(writer.write_pickle(tmp_path / "a", data, protocol=protocol))
    assert got["training_set_kwargs"] == {"path": "/x"}
    generator = got["G_ema"]
    assert generator.class_name == "Generator"
    assert generator.arguments == ({"type": "class", "version": 6, "class_name": "Generator"},)
    assert generator.state["_init_kwargs"] == {"z_dim": 4}
    assert generator.state["_buffers"]["w_avg"] == 3
    assert generator.state["_modules"]["none"] is None
    layer = generator.state["_modules"]["b4"]
    assert layer.state["gain"] == 0.5
    assert torch.equal(layer.state["_parameters"]["weight"], weight)
    assert repr(layer).count("Instance") == 1


def test_a_tensorflow_pickle(tmp_path):
    weight = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    part = writer.tensorflow_network("Gs/mapping", {}, {"Dense0/weight": weight})
    kwargs = {"resolution": 1024, "truncation_psi": np.float32(0.5)}
    networks = tuple(
        writer.tensorflow_network(name, kwargs, {"lod": np.float32(0)}, mapping=part)
        for name in ("G", "D", "Gs")
    )
    got = read_pickle(writer.write_pickle(tmp_path / "a", networks))
    assert [network.global_name for network in got] == ["dnnlib.tflib.network.Network"] * 3
    state = got[2].state
    assert state["static_kwargs"] == {"resolution": 1024, "truncation_psi": 0.5}
    name, value = state["components"]["mapping"].state["variables"][0]
    assert name == "Dense0/weight"
    assert np.array_equal(value, weight)


def test_values_of_a_file_can_be_changed(tmp_path):
    path = writer.write_pickle(tmp_path / "a", [np.zeros(2), torch.ones(3)])
    before = path.read_bytes()
    array, tensor = read_pickle(path)
    array[:] = 5
    tensor.fill_(5)
    assert path.read_bytes() == before


def test_names_nested_in_tensors_are_listed_and_unknown_ones_said_to_be(tmp_path):
    value = [torch.ones(2), writer.Call("os system", ("true",)), writer.Name("my.module Net")]
    named = globals_of(writer.write_pickle(tmp_path / "a", value))
    assert [(each.name, each.known) for each in named] == [
        ("torch._utils._rebuild_tensor_v2", True),
        ("torch.storage._load_from_bytes", True),
        ("collections.OrderedDict", True),
        ("os.system", False),
        ("my.module.Net", False),
        ("torch.FloatStorage", True),
    ]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"\x10\0\0\0\0\0\0\0{" + b" " * 15, "safetensors"),
        (b"\xff\0\0\0\0\0\0\0{", "unknown"),
        (b"PK\x03\x04" + b"\0" * 60, "unknown"),
        (b"\x89PNG\r\n", "unknown"),
        (b"Once upon a time.", "unknown"),
        (b"[1, 2]", "unknown"),
        (b"\x80", "unknown"),
        (b"\x80\x09.", "unknown"),
        (b"\x80\x04", "pickle"),
        (b"I5\n.", "pickle"),
        (b".", "unknown"),
    ],
)
def test_sniffing(tmp_path, data, expected):
    (tmp_path / "a.pkl").write_bytes(data)
    assert sniff(tmp_path / "a.pkl") == expected


def test_a_truncated_torch_file_is_still_one(tmp_path):
    torch.save([torch.ones(100)], tmp_path / "a")
    (tmp_path / "a").write_bytes((tmp_path / "a").read_bytes()[:500])
    assert sniff(tmp_path / "a") == "torch"


@pytest.mark.parametrize("read", [read_pickle, read_torch_file, globals_of, sniff])
def test_what_cannot_be_read(tmp_path, read):
    (tmp_path / "empty").touch()
    for name, message in (("none", "does not exist"), ("", "not a file"), ("empty", "is empty")):
        with pytest.raises(UnpicklingError, match=message) as caught:
            read(tmp_path / name)
        assert str(caught.value).startswith(str(tmp_path / name))


def test_a_torch_file_is_no_bare_pickle(tmp_path):
    torch.save([1], tmp_path / "a")
    with pytest.raises(UnpicklingError, match="it is a file of torch.save"):
        read_pickle(tmp_path / "a")
    with pytest.raises(UnpicklingError, match="does not begin like a file of torch.save"):
        read_torch_file(writer.write_pickle(tmp_path / "b", [1]))

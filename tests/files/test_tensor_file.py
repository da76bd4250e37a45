"""`regen.files.tensor_file`: tensors with a header, verified when they are read."""

import hashlib
import json
import struct

import pytest
import safetensors.torch
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regen.errors import StoreError
from regen.files import tensor_file

HEADER = {"format": "rewrite", "version": 1, "family": "stylegan2", "licence": "Apache-2.0"}
DTYPES = [torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.uint8, torch.bool]


def tensors():
    generator = torch.Generator().manual_seed(0)
    return {
        "b.weight": torch.randn(3, 4, generator=generator),
        "a.half": torch.randn(5, generator=generator).half(),
        "scalar": torch.tensor(2.0),
        "empty": torch.zeros(0, 3),
    }


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "r.safetensors"
    tensor_file.save(path, tensors(), HEADER)
    return path


def test_what_is_saved_is_loaded(saved):
    stored = tensor_file.load(saved, format="rewrite")
    assert stored.header == {**HEADER, "digest": tensor_file.digest(tensors())}
    assert stored.tensors.keys() == tensors().keys()
    for name, tensor in tensors().items():
        assert torch.equal(stored.tensors[name], tensor)
        assert stored.tensors[name].dtype == tensor.dtype
    assert tensor_file.read_header(saved) == stored.header


def test_loaded_tensors_can_be_changed_and_the_file_replaced(saved):
    stored = tensor_file.load(saved)
    stored.tensors["b.weight"].zero_()
    tensor_file.save(saved, stored.tensors, stored.header)
    again = tensor_file.load(saved)
    assert again.tensors["b.weight"].abs().sum() == 0
    assert again.header["digest"] == tensor_file.digest(stored.tensors)


def test_equal_contents_give_equal_bytes(tmp_path):
    one, two = tmp_path / "1", tmp_path / "2"
    tensor_file.save(one, tensors(), HEADER)
    backwards = dict(reversed(tensors().items()))
    backwards["b.weight"] = backwards["b.weight"].t().contiguous().t()
    tensor_file.save(two, backwards, dict(reversed(HEADER.items())))
    assert one.read_bytes() == two.read_bytes()


def test_tensors_may_share_memory(tmp_path):
    weight = torch.arange(6.0)
    tensor_file.save(tmp_path / "a", {"all": weight, "part": weight[2:4], "same": weight}, HEADER)
    assert tensor_file.load(tmp_path / "a").tensors["part"].tolist() == [2, 3]


def test_saving_adds_the_digest_and_leaves_the_header_alone(tmp_path):
    header = dict(HEADER)
    written = tensor_file.save(tmp_path / "a", tensors(), header)
    assert written["digest"] == tensor_file.digest(tensors())
    assert header == HEADER


@pytest.mark.parametrize("dtype", DTYPES)
def test_digest_reads_every_dtype(dtype):
    ones, zeros = torch.ones(2, 3).to(dtype), torch.zeros(2, 3).to(dtype)
    assert tensor_file.digest({"a": ones}) == tensor_file.digest({"a": ones.clone()})
    assert tensor_file.digest({"a": ones}) != tensor_file.digest({"a": zeros})


def test_digest_is_that_of_name_dtype_shape_and_bytes():
    content = b"a\0torch.float32\0[3]\0" + struct.pack("<3f", 0, 1, 2)
    assert tensor_file.digest({"a": torch.arange(3.0)}) == hashlib.sha256(content).hexdigest()


def test_digest_ignores_order_and_memory_format():
    image = torch.randn(2, 3, 4, 5, generator=torch.Generator().manual_seed(1))
    other = image.contiguous(memory_format=torch.channels_last)
    bias = torch.zeros(2)
    assert tensor_file.digest({"a": image, "b": bias}) == tensor_file.digest(
        {"b": bias, "a": other}
    )


def test_digest_sees_names_shapes_and_dtypes():
    zeros = torch.zeros(2, 3)
    versions = [{"a": zeros}, {"b": zeros}, {"a": zeros.view(3, 2)}, {"a": zeros.int()}]
    assert len({tensor_file.digest(version) for version in versions}) == 4


def test_a_missing_file_and_a_folder(tmp_path):
    with pytest.raises(StoreError, match="none does not exist; check the path"):
        tensor_file.load(tmp_path / "none")
    with pytest.raises(StoreError, match="is not a file: expected a .safetensors file of regen"):
        tensor_file.load(tmp_path)


@pytest.mark.parametrize("data", [b"", b"x", b"\x89PNG\r\n\x1a\n and more", bytes(100)])
def test_other_files_are_refused(tmp_path, data):
    (tmp_path / "a").write_bytes(data)
    for read in (tensor_file.load, tensor_file.read_header):
        with pytest.raises(StoreError, match="a is not a safetensors file: expected a file writt"):
            read(tmp_path / "a")


def test_safetensors_of_others_are_refused(tmp_path):
    safetensors.torch.save_file(tensors(), tmp_path / "a")
    with pytest.raises(StoreError, match="not one of regen's; `regen convert` reads the formats"):
        tensor_file.load(tmp_path / "a")


def test_every_truncation_is_found(saved):
    data = saved.read_bytes()
    for length in range(9, len(data)):
        saved.write_bytes(data[:length])
        with pytest.raises(StoreError, match=f"is damaged: truncated at {length} bytes"):
            tensor_file.load(saved)
        with pytest.raises(StoreError, match=f"is damaged: truncated at {length} bytes"):
            tensor_file.read_header(saved)


def test_every_changed_value_is_found(saved):
    data = saved.read_bytes()
    start = 8 + struct.unpack("<Q", data[:8])[0]
    for position in range(start, len(data)):
        changed = bytearray(data)
        changed[position] ^= 16
        saved.write_bytes(changed)
        with pytest.raises(StoreError, match="its tensors are not those that were saved"):
            tensor_file.load(saved)


def test_extra_bytes_are_found(saved):
    saved.write_bytes(saved.read_bytes() + b"extra")
    with pytest.raises(StoreError, match="is damaged"):
        tensor_file.load(saved)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(position=st.integers(0, 400), value=st.integers(0, 255))
def test_a_changed_header_never_escapes_as_another_error(saved, position, value):
    data = bytearray(saved.read_bytes())
    before = bytes(data)
    data[position % len(data)] = value
    saved.write_bytes(data)
    try:
        stored = tensor_file.load(saved)
        assert tensor_file.digest(stored.tensors) == stored.header["digest"]
    except StoreError as error:
        assert str(saved) in str(error)
    finally:
        saved.write_bytes(before)


def test_a_bad_entry_is_told(tmp_path):
    head = json.dumps({"a": {"dtype": "F32"}}).encode()
    (tmp_path / "a").write_bytes(struct.pack("<Q", len(head)) + head)
    with pytest.raises(StoreError, match="is damaged: its header cannot be read"):
        tensor_file.load(tmp_path / "a")


def test_check_tensors_casts_floats(tmp_path):
    got = tensor_file.check_tensors(
        {"a": torch.ones(2).half(), "n": torch.ones(1, dtype=torch.int64)},
        {"n": torch.zeros(1, dtype=torch.int64), "a": torch.zeros(2)},
        "r.safetensors",
    )
    assert got["a"].dtype == torch.float32
    assert got["a"].tolist() == [1, 1]
    assert list(got) == ["n", "a"]


def test_check_tensors_names_each_fault():
    with pytest.raises(StoreError) as caught:
        tensor_file.check_tensors(
            {"b": torch.ones(3), "c": torch.ones(1), "d": torch.ones(1, dtype=torch.int64)},
            {"a": torch.ones(1), "b": torch.ones(2), "d": torch.ones(1)},
            "r.safetensors",
        )
    assert str(caught.value) == (
        "r.safetensors does not fit: a is missing, c is unexpected, b is [3], expected [2], "
        "d is int64, expected float32; it was made for another network, or with other settings"
    )


def test_check_tensors_without_cast_wants_the_dtype():
    got, expected = {"a": torch.ones(1).half()}, {"a": torch.ones(1)}
    with pytest.raises(StoreError, match="a is float16, expected float32"):
        tensor_file.check_tensors(got, expected, "r", cast=False)


def test_check_tensors_lists_five():
    expected = {f"w{i}": torch.ones(1) for i in range(9)}
    with pytest.raises(StoreError, match="w4 is missing, and 4 more; it was"):
        tensor_file.check_tensors({}, expected, "r")

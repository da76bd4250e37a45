"""`regen.unpickling.arrays`: numpy's arrays as numpy 1 and 2, Python 2 and 3 write them."""

import pickle

import numpy as np
import pytest

from regen.unpickling import read_pickle
from tests.unpickling import writer

ARRAYS = {
    "c": np.arange(6.0).reshape(2, 3),
    "fortran": np.asfortranarray(np.arange(6, dtype=np.int16).reshape(2, 3)),
    "axes": np.arange(24.0).reshape(2, 3, 4).transpose(0, 2, 1),
    "swapped": np.arange(5, dtype=">f4"),
    "half": np.ones(3, np.float16),
    "truth": np.array([True, False]),
    "complex": np.array([1 + 2j]),
    "empty": np.zeros((0, 3), np.uint8),
    "scalar": np.array(3),
    "large": np.arange(5000, dtype=np.float32),
}


@pytest.mark.parametrize("protocol", range(6))
def test_numpy_arrays_of_every_protocol(tmp_path, protocol):
    (tmp_path / "a").write_bytes(pickle.dumps(ARRAYS, protocol))
    got = read_pickle(tmp_path / "a")
    for name, array in ARRAYS.items():
        assert np.array_equal(got[name], array), name
        assert got[name].dtype == array.dtype.newbyteorder("=")


def test_numpy_arrays_of_numpy_1(tmp_path):
    got = read_pickle(writer.write_pickle(tmp_path / "a", [ARRAYS["c"], np.int64(7)]))
    assert np.array_equal(got[0], ARRAYS["c"])
    assert got[1] == 7


def test_text_of_python_2_may_be_bytes(tmp_path):
    array = writer.Call(
        "numpy.core.multiarray _reconstruct",
        (writer.Name("numpy ndarray"), (0,), writer.Raw(b"U\x01b")),
        (1, (2,), writer.numpy_dtype(np.dtype("u1")), False, writer.Raw(b"U\x02\x01\xff")),
    )
    got = read_pickle(writer.write_pickle(tmp_path / "a", array, protocol=2))
    assert got.tolist() == [1, 255]

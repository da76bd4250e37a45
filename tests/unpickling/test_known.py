"""The names that are read, and that no other is."""

import pytest
import torch

from regen.unpickling.known import known
from regen.unpickling.values import Global


@pytest.mark.parametrize(
    "name",
    [
        "torch_utils.persistence._reconstruct_persistent_obj",
        "dnnlib.util.EasyDict",
        "torch._utils._rebuild_tensor_v2",
        "torch.cuda.HalfStorage",
        "numpy.core.multiarray._reconstruct",
        "numpy._core.multiarray._reconstruct",
        "__builtin__.set",
        "copy_reg._reconstructor",
    ],
)
def test_a_known_name_has_a_constructor_of_ours(name):
    found = known(name)
    assert type(found) is Global and found.global_name == name
    assert found.construct.__module__.startswith("regen.unpickling.")


def test_dtypes_are_values():
    assert known("torch.float16") is torch.float16 and known("torch.long") is torch.int64


@pytest.mark.parametrize(
    "name",
    [
        *("os.system", "builtins.eval", "builtins.getattr", "builtins.__import__"),
        *("torch.load", "torch.hub.load", "numpy.load", "operator.attrgetter", "copyreg.__all__"),
        *("torch.float16.__class__", "", "builtins", "collections.OrderedDict.fromkeys"),
    ],
)
def test_no_other_name_is_known(name):
    assert known(name) is None

"""Constructors of plain data, called with what a file may hold."""

import pytest

from regen.errors import UnpicklingError
from regen.unpickling import containers
from regen.unpickling.known import known
from regen.unpickling.source import Span
from regen.unpickling.values import PERSISTENT, Context, Instance
from tests.unpickling.budgets import budget_for

META = {"type": "class", "version": 6, "class_name": "Net", "module_src": "x", "state": {"a": 1}}


def made(name, *arguments, file_bytes=1000):
    return known(name).construct(Context(budget_for(file_bytes), len), name, arguments)


@pytest.mark.parametrize(
    ("name", "arguments", "value"),
    [
        ("collections.OrderedDict", (), {}),
        ("collections.OrderedDict", ([("a", 1), ["b", 2]],), {"a": 1, "b": 2}),
        ("collections.defaultdict", (known("builtins.list"), {"a": 1}), {"a": 1}),
        ("builtins.set", ([1, 1],), {1}),
        ("builtins.frozenset", ((),), frozenset()),
        ("builtins.tuple", ([1, Span.of(b"x")],), (1, b"x")),
        ("_codecs.encode", ("a\xff", "latin1"), b"a\xff"),
        ("builtins.bytearray", (b"ab",), bytearray(b"ab")),
        ("builtins.complex", (1.0, -2.0), 1 - 2j),
        ("copyreg._reconstructor", (known("builtins.list"), known("builtins.object"), [1]), [1]),
    ],
)
def test_values(name, arguments, value):
    found = made(name, *arguments)
    assert found == value and type(found) is type(value)


def test_objects_stay_stand_ins():
    device = made("torch.device", "cuda", 0)
    assert type(device) is Instance and device.arguments == ("cuda", 0)
    network = made(PERSISTENT, META)
    assert (network.class_name, network.state) == ("Net", {"a": 1})
    assert "module_src" not in network.arguments[0]


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("torch.FloatStorage", ()),
        ("collections.OrderedDict", ([1],)),
        ("builtins.set", (3,)),
        ("builtins.complex", ("1", "2")),
        ("_codecs.encode", ("a", "rot13")),
        ("copyreg._reconstructor", ("list", "object", None)),
        (PERSISTENT, ({**META, "class_name": 3},)),
        (PERSISTENT, ({**META, "type": "function"},)),
    ],
)
def test_unusual_arguments_are_refused(name, arguments):
    with pytest.raises(UnpicklingError):
        made(name, *arguments)


@pytest.mark.parametrize("key", [2**61, (1,) * 9, ((1,),), [1], float])
def test_keys_that_are_expensive_to_hash_are_refused(key):
    usual, budget = ["a", 1, (1, "b"), None], budget_for(0)
    assert containers.checked_keys(budget, usual) == usual
    with pytest.raises(UnpicklingError, match="as a key"):
        containers.checked_keys(budget, [key])


def test_copies_cost_memory():
    with pytest.raises(UnpicklingError, match="more than its own size"):
        made("builtins.tuple", [0] * 300_000)


def test_bytes_of_any_kind_are_a_block():
    for data in ("ab", b"ab", bytearray(b"ab"), Span.of(b"ab")):
        assert containers.block_of(budget_for(0), data, "a file").plain() == b"ab"
    for data in ("€", 3):
        with pytest.raises(UnpicklingError, match="a file"):
            containers.block_of(budget_for(0), data, "a file")

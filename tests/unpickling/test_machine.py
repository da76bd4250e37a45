"""The machine moves values; what names and calls mean, a world says."""

import pytest

from regen.errors import UnpicklingError
from regen.unpickling.machine import Machine
from regen.unpickling.source import Span
from tests.unpickling.budgets import budget_for


class Recording:
    """A world that records what it is asked, and answers with texts."""

    def __init__(self):
        self.asked = []

    def _ask(self, *words):
        self.asked.append(words)
        return "/".join(str(word) for word in words)

    def find(self, name):
        return self._ask("find", name)

    def call(self, function, arguments):
        return self._ask("call", function, arguments)

    def give_state(self, target, state):
        return self._ask("state", target, state)

    def persistent(self, identifier):
        return self._ask("outside", identifier)

    def extend(self, target, items):
        target.extend(items)

    def put(self, target, keys, values):
        target.update(zip(keys, values, strict=True))

    def add(self, target, items):
        target.update(items)

    def freeze(self, items):
        return frozenset(items)


def run(data, world=None):
    machine = Machine(Span.of(data), world or Recording(), budget_for(len(data)))
    return machine.run(), machine


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"(K\x01K\x02t.", (1, 2)),
        (b"K\x01K\x02K\x03\x87.", (1, 2, 3)),
        (b"](K\x01K\x02e.", [1, 2]),
        (b"]K\x05a.", [5]),
        (b"(K\x01K\x02d.", {1: 2}),
        (b"}K\x01K\x02s.", {1: 2}),
        (b"\x8f(K\x01K\x01\x90.", {1}),
        (b"(K\x01\x91.", frozenset({1})),
        (b"cos\nsystem\n)R.", "call/find/os.system/()"),
        (b"(cos\nsystem\nK\x01o.", "call/find/os.system/(1,)"),
        (b"(K\x01ios\nsystem\n.", "call/find/os.system/(1,)"),
        (b"cm\nC\n}b.", "state/find/m.C/{}"),
        (b"K\x03Q.", "outside/3"),
    ],
)
def test_instructions(data, value):
    assert run(data)[0] == value


def test_what_is_remembered_is_one_object():
    (one, other), _ = run(b"]q\x00h\x00\x86.")
    assert one == [] and one is other


def test_it_stops_behind_the_pickle_and_counts_instructions():
    value, machine = run(b"K\x01.rest")
    assert (value, machine.cursor.position, machine.count) == (1, 3, 1)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"K\x01", "truncated: it ends at byte 2"),
        (b"\xff.", "byte 0"),
        (b"\x80\x06N.", "protocol: got 6"),
        (b"(K\x01d.", "a key of a dict has no value"),
        (b"K\x01K\x02R.", "arguments"),
        (b"K\x01K\x02\x93.", "named by"),
        (b"c" + b"m" * 150 + b"\n" + b"n" * 150 + b"\n.", "expected a short name"),
        (b"Pid\n.", "which no checkpoint does"),
        (b"\x82\x01.", "registry"),
        (b"\x97.", "buffers"),
        (b"\x95" + b"\xff" * 8 + b"N.", "truncated"),
        (b"(o.", "a call names nothing"),
    ],
)
def test_damage_is_refused(data, words):
    with pytest.raises(UnpicklingError, match=words):
        run(data)


def test_instructions_are_bounded():
    budget = budget_for(0)
    budget.steps_left = 3
    with pytest.raises(UnpicklingError, match="too long"):
        Machine(Span.of(b"NNNN0000."), Recording(), budget).run()

"""The world that builds: known names give plain data, everything else is refused."""

import pytest

from regen.errors import UnpicklingError
from regen.unpickling.building import Building
from regen.unpickling.values import Context, Instance
from tests.unpickling.budgets import budget_for


@pytest.fixture
def world():
    return Building(Context(budget_for(1000), load_nested=len))


def test_a_known_name_is_called(world):
    ordered = world.find("collections.OrderedDict")
    assert world.call(ordered, ([["a", 1]],)) == {"a": 1}


def test_an_object_gets_its_state_once(world):
    namespace = world.call(world.find("argparse.Namespace"), ())
    assert world.give_state(namespace, {"size": 3}) is namespace
    assert namespace.state == {"size": 3}
    with pytest.raises(UnpicklingError, match="an instance of argparse.Namespace"):
        world.give_state(namespace, {"size": 4})


def test_attributes_of_a_dict_are_dropped(world):
    content = {"a": 1}
    assert world.give_state(content, {"hidden": 2}) is content and content == {"a": 1}


def test_containers_are_filled(world):
    items, entries, members = [], {}, set()
    world.extend(items, [1, 2])
    world.put(entries, ["a"], [1])
    world.add(members, ["a", 1])
    assert (items, entries, members) == ([1, 2], {"a": 1}, {"a", 1})
    assert world.freeze([1, 1]) == frozenset({1})


@pytest.mark.parametrize(
    ("do", "words"),
    [
        (lambda w: w.find("os.system"), "os.system"),
        (lambda w: w.call("text", ()), "it calls text"),
        (lambda w: w.give_state([], {}), "gives a state to list"),
        (lambda w: w.give_state(Instance("a.B"), {"__class__": 1}), "__class__"),
        (lambda w: w.extend((), [1]), "tuple"),
        (lambda w: w.put([], ["a"], [1]), "list"),
        (lambda w: w.put({}, [[]], [1]), "list as a key"),
        (lambda w: w.add([], [1]), "list"),
        (lambda w: w.persistent("94"), "torch files"),
    ],
)
def test_everything_else_is_refused(world, do, words):
    with pytest.raises(UnpicklingError, match=words):
        do(world)

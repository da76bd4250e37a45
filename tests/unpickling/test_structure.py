"""`regen.unpickling.structure`: what can be walked passes, what cannot is refused."""

import pytest
import torch

from regen.errors import UnpicklingError
from regen.unpickling.structure import check_structure
from regen.unpickling.values import Instance, Pending


def nested(levels):
    value = []
    for _ in range(levels - 1):
        value = [value]
    return value


def test_what_files_of_generators_hold_passes():
    hooks = {}
    layer = Instance("a.Layer", (), {"weight": torch.ones(2), "hooks": hooks, "more": hooks})
    check_structure({"G": layer, "D": layer, "sizes": (1, [2, {3}], frozenset({4}))})


@pytest.mark.parametrize("value", [None, 3, "x", torch.ones(2), [], {}, Instance("a.B")])
def test_leaves_pass(value):
    check_structure(value)


def test_a_long_list_passes():
    check_structure(list(range(1_500_000)))


def test_depth_is_bounded_and_counts_what_is_shared():
    check_structure(nested(150))
    with pytest.raises(UnpicklingError, match="too deep: expected at most 200 levels"):
        check_structure(nested(250))
    inner = nested(150)
    deeper = inner
    for _ in range(40):
        deeper = [inner, deeper]
    check_structure(deeper)
    for _ in range(40):
        deeper = [deeper]
    with pytest.raises(UnpicklingError, match="too deep"):
        check_structure([inner, deeper])


def test_cycles_are_refused_and_sharing_is_not():
    shared = [1]
    check_structure([shared, shared, (shared, {"a": shared})])
    shared.append({"back": (shared,)})
    with pytest.raises(UnpicklingError, match="holds itself"):
        check_structure([shared])


def test_doubling_is_refused():
    value = [1, 2]
    for _ in range(15):
        value = [value, value]
    check_structure(value)
    for _ in range(15):
        value = [value, value]
    with pytest.raises(UnpicklingError, match="repeats parts of itself"):
        check_structure(value)


def test_unfinished_parts_are_refused():
    with pytest.raises(UnpicklingError, match="instance of a.B was never finished"):
        check_structure([Pending("a.B", complete=lambda context, state: None)])

"""The world that takes down names, and builds nothing."""

from regen.unpickling.machine import Machine
from regen.unpickling.naming import Naming
from regen.unpickling.source import Span
from regen.unpickling.values import NamedGlobal
from tests.unpickling.budgets import budget_for


def named(data):
    naming = Naming()
    Machine(Span.of(data), naming, budget_for(len(data))).run()
    return naming


def test_names_come_once_in_the_order_of_the_file():
    data = b"(cos\nsystem\n)R" + b"ctorch\nSize\n" + b"cos\nsystem\nl."
    assert list(named(data).named.values()) == [
        NamedGlobal("os.system", False),
        NamedGlobal("torch.Size", True),
    ]


def test_nothing_is_put_together():
    naming = named(b"cos\nsystem\n(Vtrue\ntRK\x01b0](K\x01K\x02e(K\x01\x910K\x01Q0.")
    assert naming.nested == [] and list(naming.named) == ["os.system"]
    assert naming.freeze([[]]) == frozenset()


def test_torch_files_inside_are_kept_for_later():
    (nested,) = named(b"ctorch.storage\n_load_from_bytes\nC\x03abc\x85R.").nested
    assert nested.plain() == b"abc"

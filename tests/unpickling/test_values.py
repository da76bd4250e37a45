"""Stand-ins, and how values out of a file are shown in messages."""

import pytest

from regen.unpickling.known import known
from regen.unpickling.values import PERSISTENT, Instance, kind, shown


def test_the_class_of_a_persistent_object_is_the_original_one():
    meta = {"type": "class", "version": 6, "class_name": "Generator"}
    assert Instance(PERSISTENT, (meta,)).class_name == "Generator"
    assert Instance(PERSISTENT).class_name == "_reconstruct_persistent_obj"


def test_a_stand_in_is_shown_without_what_it_holds():
    assert repr(Instance("a.B", state=Instance("c.D"))) == "Instance('a.B')"
    assert Instance("a.B") != Instance("a.B")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "None"),
        (1.5, "number"),
        ("x", "text"),
        (True, "truth value"),
        ([1], "list"),
        (Instance("a.B"), "an instance of a.B"),
        (known("torch.Size"), "the name torch.Size"),
    ],
)
def test_kinds(value, words):
    assert kind(value) == words


def test_texts_are_short_and_printable():
    assert shown("é.b") == "é.b"
    assert shown("a\nb\x1b[1m").isprintable()
    assert shown("x" * 81) == "x" * 77 + "..."

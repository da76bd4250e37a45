"""The stack with marks, and the memo."""

import pytest

from regen.errors import UnpicklingError
from regen.unpickling.literals import Cursor
from regen.unpickling.source import Span
from regen.unpickling.stack import Stack, plain
from regen.unpickling.values import Pending
from tests.unpickling.budgets import budget_for


@pytest.fixture
def stack():
    return Stack(Cursor(Span.of(b"12345"), budget_for(5)))


def test_marks_separate_runs_of_items(stack):
    stack.push(1)
    stack.mark()
    stack.push(2)
    stack.push(3)
    assert (stack.top(), stack.pop_mark(), stack.pop()) == (3, [2, 3], 1)


def test_dropping_takes_a_value_or_a_mark(stack):
    stack.push(1)
    stack.mark()
    stack.drop()
    assert stack.values == [1]
    stack.drop()
    assert stack.values == []


def test_the_memo_gives_the_same_object(stack):
    value = []
    stack.push(value)
    stack.remember(0, highest=1)
    stack.remember_next()
    stack.recall(1)
    assert stack.pop() is value


def test_a_pending_value_is_recalled_as_what_it_became(stack):
    pending = Pending("numpy.ndarray", complete=lambda context, state: state)
    stack.push(pending)
    stack.remember(0, highest=0)
    stack.recall(0)
    assert stack.pop() is pending
    pending.value = "array"
    stack.recall(0)
    assert stack.pop() == "array"


def test_the_last_value_is_all_there_is(stack):
    stack.push(Span.of(b"abc"))
    assert stack.last() == b"abc"
    stack.push(1)
    stack.push(2)
    with pytest.raises(UnpicklingError, match="before everything is put together"):
        stack.last()


@pytest.mark.parametrize(
    ("do", "words"),
    [
        (lambda s: s.pop(), "before byte 0: a value is missing"),
        (lambda s: s.top(), "a value is missing"),
        (lambda s: s.pop_mark(), "a mark is missing"),
        (lambda s: s.recall(3), "a place of the memo"),
        (lambda s: s.remember_next(), "a value is missing"),
        (lambda s: s.remember(7, highest=3), "got 7, expected at most 3"),
    ],
)
def test_what_is_not_there_is_damage(stack, do, words):
    with pytest.raises(UnpicklingError, match=words):
        do(stack)


def test_blocks_become_bytes():
    items = [1, Span.of(b"ab"), None]
    assert plain(items) == [1, b"ab", None]

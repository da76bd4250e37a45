"""What a pickle's instructions work on: a stack with marks, and a memo to come back to."""

from __future__ import annotations

from typing import Any

from regen.errors import UnpicklingError
from regen.unpickling.literals import Cursor
from regen.unpickling.source import Span
from regen.unpickling.values import Pending


class Stack:
    """Values with marks between them. Errors say where the instruction ends that failed.

    Attributes:
        values: Those since the last mark, the newest last.
    """

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor
        self.values: list[Any] = []
        self._marked: list[list[Any]] = []
        self._memo: dict[int, Any] = {}

    def push(self, value: object) -> None:
        """Put a value on top."""
        self.values.append(value)

    def pop(self) -> Any:
        """Take the value on top; there must be one above the last mark."""
        if not self.values:
            raise self.damaged("a value is missing")
        return self.values.pop()

    def top(self) -> Any:
        """The value on top."""
        if not self.values:
            raise self.damaged("a value is missing")
        return self.values[-1]

    def mark(self) -> None:
        """Begin a run of items."""
        self._marked.append(self.values)
        self.values = []

    def pop_mark(self) -> list[Any]:
        """Take the run of items since the last mark."""
        if not self._marked:
            raise self.damaged("a mark is missing")
        items, self.values = self.values, self._marked.pop()
        return items

    def drop(self) -> None:
        """Forget the value on top, or the mark if that is on top."""
        if self.values:
            self.values.pop()
        else:
            self.pop_mark()

    def last(self) -> Any:
        """The value of the whole pickle, which must be all there is."""
        value = self.pop()
        if self.values or self._marked:
            raise self.damaged("it ends before everything is put together")
        return plain([value])[0]

    def remember(self, index: int, highest: int) -> None:
        """Keep the value on top in the memo.

        Picklers number the places from 0 or 1 on, each instruction filling one at most, so that
        `highest`, the number of instructions so far, bounds the honest ones.
        """
        if index > highest:
            raise UnpicklingError(
                "it is damaged: a place of the memo",
                got=f"{index:,}",
                expected=f"at most {highest:,}, the number of instructions so far",
            )
        self._memo[index] = self.top()

    def remember_next(self) -> None:
        """Keep the value on top in the next free place of the memo."""
        if not self.values:
            raise self.damaged("a value is missing")
        self._memo[len(self._memo)] = self.values[-1]

    def recall(self, index: int) -> None:
        """Put a value of the memo on top; a pending one as what it became, once it did."""
        if index not in self._memo:
            raise self.damaged("a place of the memo is read that nothing was put in")
        value = self._memo[index]
        if type(value) is Pending and value.value is not None:
            value = value.value
        self.values.append(value)

    def damaged(self, why: str) -> UnpicklingError:
        """An error to raise, with the place."""
        return UnpicklingError(f"it is damaged before byte {self._cursor.position:,}: {why}")


def plain(items: list[Any]) -> list[Any]:
    """Items with unread blocks as bytes."""
    return [item.plain() if type(item) is Span else item for item in items]

"""An interpreter of the pickle instructions that build something out of what was read before.

The machine moves values between a stack and a memo. Whatever an instruction *means*, for a class
that the file names above all, is decided by a `World`; there is one that builds
(`regen.unpickling.building`) and one that only takes down names (`regen.unpickling.naming`).
The machine itself calls nothing, imports nothing, and does not recurse, however deep the values.

The standard library's unpicklers cannot be used: their memo grows to whatever index a file names,
and what they do with a name is to import it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from regen.errors import UnpicklingError
from regen.files.budget import (
    CALL_STEPS,
    CONTAINER_STEPS,
    LONGEST_NAME,
    NAME_STEPS,
    SET_STEPS,
    Budget,
)
from regen.unpickling.literals import LITERALS, Cursor
from regen.unpickling.source import Span
from regen.unpickling.stack import Stack, plain
from regen.unpickling.values import shown
from regen.unpickling.world import World

_NEWEST_PROTOCOL = 5
_STOP, _RECALL, _REMEMBER = ord("."), ord("h"), 0x94
_CALLS = frozenset(b"Rb\x81\x92")
_MEMO_SIZES = {ord("q"): 2, ord("r"): 5, 0x94: 1}


class Machine:
    """Runs the pickle at the start of a span.

    Args:
        span: The pickle, and perhaps more after it.
        world: What its instructions mean.
        budget: Shared with whatever else is read from the file.
    """

    def __init__(self, span: Span, world: World, budget: Budget) -> None:
        self.cursor = Cursor(span, budget)
        self.world, self.stack = world, Stack(self.cursor)
        self.count = 0
        self._budget = budget

    def run(self) -> Any:
        """Run to the end of the pickle and give its value; the cursor then stands behind it.

        Raises:
            UnpicklingError: If it is truncated, damaged, too long, or refused by the world.
        """
        cursor, stack, budget = self.cursor, self.stack, self._budget
        buffer, stop = cursor.buffer, cursor.stop
        while True:
            budget.work(1)
            at = cursor.position
            if at >= stop:
                raise UnpicklingError(f"it is truncated: it ends at byte {at:,}")
            cursor.position = at + 1
            code = buffer[at]
            if code == _RECALL:  # the two most frequent ones, without a detour
                stack.recall(cursor.byte())
            elif code == _REMEMBER:
                stack.remember_next()
            elif (literal := LITERALS.get(code)) is not None:
                stack.values.append(literal(cursor))
            elif (instruction := _INSTRUCTIONS.get(code)) is not None:
                budget.work(CONTAINER_STEPS - 1)
                instruction(self)
            elif code == _STOP:
                break
            else:
                raise UnpicklingError(f"it is damaged: byte {at:,} is not an instruction")
            self.count += 1
        return stack.last()

    def line_index(self) -> int:
        """A place of the memo, written as text."""
        line = self.cursor.line(20)
        if not line.isdigit():
            raise self.stack.damaged("a place of the memo is not a number")
        return int(line)

    def push_tuple(self, items: list[Any]) -> None:
        """Make a tuple. Blocks stay unread in what is called or given next, and nowhere else."""
        for item in items:
            if type(item) is Span and not self._is_called_next():
                items = plain(items)
                break
        self.stack.push(tuple(items))

    def _is_called_next(self) -> bool:
        buffer, at, stop = self.cursor.buffer, self.cursor.position, self.cursor.stop
        at += _MEMO_SIZES.get(buffer[at], 0) if at < stop else 0
        return at < stop and buffer[at] in _CALLS

    def push_tuple_of(self, count: int) -> None:
        """Make a tuple of the topmost values."""
        self.push_tuple([self.stack.pop() for _ in range(count)][::-1])

    def extend(self, items: list[Any]) -> None:
        """Put items in the list on top."""
        self.world.extend(self.stack.top(), plain(items))

    def add(self, items: list[Any]) -> None:
        """Put items in the set on top."""
        self.world.add(self.stack.top(), plain(items))

    def put(self, items: list[Any]) -> None:
        """Put keys and values, by turns, in the dict on top."""
        if len(items) % 2:
            raise self.stack.damaged("a key of a dict has no value")
        items = plain(items)
        self.world.put(self.stack.top(), items[0::2], items[1::2])

    def put_one(self) -> None:
        """Put one key and value in the dict below them."""
        value, key = self.stack.pop(), self.stack.pop()
        self.put([key, value])

    def push_dict(self) -> None:
        """Make a dict of the keys and values since the mark."""
        items = self.stack.pop_mark()
        self.stack.push({})
        self.put(items)

    def push_set(self) -> None:
        """Make an empty set."""
        self._budget.work(SET_STEPS - CONTAINER_STEPS)
        self.stack.push(set())

    def push_list(self) -> None:
        """Make a list of the items since the mark."""
        self.stack.push(plain(self.stack.pop_mark()))

    def find(self, module: object, name: object) -> None:
        """Push the stand-in for a name."""
        if not isinstance(module, str) or not isinstance(name, str):
            raise self.stack.damaged("a class is named by something that is not text")
        if len(module) + len(name) > LONGEST_NAME:
            raise UnpicklingError(
                "it names a class", got=shown(f"{module[:80]}.{name[:80]}"), expected="a short name"
            )
        self._budget.work(NAME_STEPS)
        self.stack.push(self.world.find(f"{module}.{name}"))

    def find_lines(self) -> None:
        """Push the stand-in for a name in the next two lines."""
        module, name = self.cursor.line(LONGEST_NAME), self.cursor.line(LONGEST_NAME)
        self.find(module.decode("utf-8", "replace"), name.decode("utf-8", "replace"))

    def find_top(self) -> None:
        """Push the stand-in for a name on the stack."""
        name = self.stack.pop()
        self.find(self.stack.pop(), name)

    def call(self) -> None:
        """Call a stand-in with a tuple of arguments."""
        arguments, function = self.stack.pop(), self.stack.pop()
        if not isinstance(arguments, tuple):
            raise self.stack.damaged("arguments are no tuple")
        self._call(function, arguments)

    def _call(self, function: object, arguments: tuple[Any, ...]) -> None:
        self._budget.work(CALL_STEPS)
        self.stack.push(self.world.call(function, arguments))

    def call_with_keywords(self) -> None:
        """The same with an empty dict of keyword arguments."""
        keywords = self.stack.pop()
        if not isinstance(keywords, dict) or keywords:
            raise UnpicklingError("it calls something with keyword arguments")
        self.call()

    def call_items(self) -> None:
        """Call the stand-in after the mark with what stands after it."""
        items = plain(self.stack.pop_mark())
        if not items:
            raise self.stack.damaged("a call names nothing")
        self._call(items[0], tuple(items[1:]))

    def call_named(self) -> None:
        """Call a stand-in, named in the next two lines, with what stands after the mark."""
        arguments = tuple(plain(self.stack.pop_mark()))
        self.find_lines()
        self._call(self.stack.pop(), arguments)

    def give_state(self) -> None:
        """Give a state to what is below it."""
        state, target = self.stack.pop(), self.stack.pop()
        self.stack.push(self.world.give_state(target, state))

    def check_protocol(self) -> None:
        """Read the version of the pickle format."""
        protocol = self.cursor.count(1)
        if protocol > _NEWEST_PROTOCOL:
            raise UnpicklingError("its pickle protocol", got=protocol, expected="at most 5")

    def check_frame(self) -> None:
        """Read the length of the frame that follows, which must lie inside the file."""
        length = self.cursor.count(8)
        self.cursor.span.part(self.cursor.position, self.cursor.position + length)

    def drop_items(self) -> None:
        """Forget the items since the mark, and the mark."""
        self.stack.pop_mark()


def _refuse(what: str) -> Callable[[Machine], None]:
    def refuse(machine: Machine) -> None:
        raise UnpicklingError(f"it {what}, which no checkpoint does")

    return refuse


_REGISTRY = _refuse("names a class by its number in a registry")
_BUFFERS = _refuse("needs buffers from outside of the file")

_INSTRUCTIONS: dict[int, Callable[[Machine], None]] = {
    0x80: Machine.check_protocol,
    0x95: Machine.check_frame,
    ord("("): lambda m: m.stack.mark(),
    ord("0"): lambda m: m.stack.drop(),
    ord("1"): Machine.drop_items,
    ord("2"): lambda m: m.stack.push(m.stack.top()),
    ord("p"): lambda m: m.stack.remember(m.line_index(), m.count),
    ord("q"): lambda m: m.stack.remember(m.cursor.byte(), m.count),
    ord("r"): lambda m: m.stack.remember(m.cursor.count(4), m.count),
    ord("g"): lambda m: m.stack.recall(m.line_index()),
    ord("j"): lambda m: m.stack.recall(m.cursor.count(4)),
    ord("t"): lambda m: m.push_tuple(m.stack.pop_mark()),
    0x85: lambda m: m.push_tuple_of(1),
    0x86: lambda m: m.push_tuple_of(2),
    0x87: lambda m: m.push_tuple_of(3),
    ord("]"): lambda m: m.stack.push([]),
    ord("}"): lambda m: m.stack.push({}),
    ord("l"): Machine.push_list,
    ord("a"): lambda m: m.extend([m.stack.pop()]),
    ord("e"): lambda m: m.extend(m.stack.pop_mark()),
    ord("d"): Machine.push_dict,
    ord("s"): Machine.put_one,
    ord("u"): lambda m: m.put(m.stack.pop_mark()),
    0x8F: Machine.push_set,
    0x90: lambda m: m.add(m.stack.pop_mark()),
    0x91: lambda m: m.stack.push(m.world.freeze(plain(m.stack.pop_mark()))),
    ord("c"): Machine.find_lines,
    0x93: Machine.find_top,
    ord("R"): Machine.call,
    0x81: Machine.call,
    0x92: Machine.call_with_keywords,
    ord("o"): Machine.call_items,
    ord("i"): Machine.call_named,
    ord("b"): Machine.give_state,
    ord("P"): _refuse("refers to objects by a text"),
    ord("Q"): lambda m: m.stack.push(m.world.persistent(m.stack.pop())),
    0x82: _REGISTRY,
    0x83: _REGISTRY,
    0x84: _REGISTRY,
    0x97: _BUFFERS,
    0x98: _BUFFERS,
}

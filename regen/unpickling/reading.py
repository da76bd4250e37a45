"""Files of other tools as plain data, and what they name. See `regen.unpickling`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from regen.errors import UnpicklingError
from regen.unpickling.building import Building, UnknownNameError
from regen.unpickling.machine import Machine
from regen.unpickling.naming import Naming
from regen.unpickling.source import Span, budget_of, budget_of_a_look, opened
from regen.unpickling.structure import check_structure
from regen.unpickling.torch_files import TorchReader, is_legacy, is_torch_zip
from regen.unpickling.values import Context, NamedGlobal, shown
from regen.unpickling.zip_entries import is_zip

Format = Literal["safetensors", "pickle", "torch", "unknown"]
# What a pickled module holds, and what only NVIDIA's persistent ones name, which need no code.
_OF_MODULES = [b"_parameters", b"_modules", b"_reconstruct_persistent_obj"]
_BEGINNING_BYTES = 16 << 20
_FIRST_PROTOCOLS = frozenset(b"()]}cNISVULFGKMJX\x88\x89")


def read_pickle(path: Path | str) -> object:
    """The value of a bare pickle, of protocol 0 to 5, such as NVIDIA's ``.pkl`` files.

    Returns:
        Dicts (OrderedDict and EasyDict too), lists, tuples, sets, texts, numbers, bytes,
        torch.Tensor on the CPU (parameters too, without gradients), torch.dtype, numpy.ndarray, and
        `Instance` for objects of other classes. It holds no cycle and is at most 200 levels deep.

    Raises:
        UnpicklingError: If the file cannot be read, is truncated or damaged, is followed by
            anything, or names a class or function that no generator needs.
    """
    with opened(path) as file:
        if is_zip(file) or is_legacy(file):
            raise UnpicklingError("it is a file of torch.save", expected="a bare pickle")
        return value_of(file, "pickle")


def read_torch_file(path: Path | str) -> object:
    """The value of a file of torch.save, in its present form (zip) or that before torch 1.6.

    Returns and raises: as `read_pickle`.
    """
    with opened(path) as file:
        return value_of(file, "torch")


def value_of(file: Span, format: Literal["pickle", "torch"]) -> object:
    """The value of a file that is open already, of a format that `format_of` found.

    Returns and raises: as `read_pickle`.
    """
    budget = budget_of(file)
    with _modules_explained(file):
        if format == "torch":
            value = TorchReader(budget).read(file)
        else:
            machine = Machine(file, Building(Context(budget, TorchReader(budget).read)), budget)
            value = machine.run()
            machine.cursor.check_end()
    check_structure(value)
    return value


@contextmanager
def _modules_explained(file: Span) -> Iterator[None]:
    """Whoever saved a module with its class, which is code, is told to save its tensors."""
    try:
        yield
    except UnknownNameError as error:
        stop = min(file.stop, file.start + _BEGINNING_BYTES)
        words = [word for word in _OF_MODULES if file.buffer.find(word, file.start, stop) >= 0]
        if words != _OF_MODULES[:-1]:
            raise
        raise UnpicklingError(
            f"it holds a whole module, which needs code to be run: it names {shown(error.name)}",
            expected="a state dict",
            remedy="where it was made, save module.state_dict() instead of the module",
        ) from error


def globals_of(path: Path | str) -> list[NamedGlobal]:
    """Every class and function that a pickle or torch file names, in the order of the file.

    The torch files inside of a pickle are searched too. No tensor is read, nothing is built.

    Raises:
        UnpicklingError: If the file cannot be read, is truncated or damaged.
    """
    with opened(path) as file:
        budget, naming = budget_of(file), Naming()
        reader = TorchReader(budget)
        if is_zip(file) or is_legacy(file):
            Machine(reader.pickle_of(file), naming, budget).run()
        else:
            Machine(file, naming, budget).run()
        for span in naming.nested:
            try:
                Machine(reader.pickle_of(span), naming, budget).run()
            except UnpicklingError:  # not a torch file: then it names nothing
                if budget.steps_left < 0:
                    raise
    return list(naming.named.values())


def sniff(path: Path | str) -> Format:
    """The format of a file by its content, whatever its name.

    Raises:
        UnpicklingError: If it cannot be read, or is empty.
    """
    with opened(path) as file:
        return format_of(file)


def format_of(file: Span) -> Format:
    """The format of a file that is open already, by its content."""
    head = bytes(file.buffer[: min(len(file), 9)])
    length = int.from_bytes(head[:8], "little")
    if head[8:9] == b"{" and length <= len(file) - 8:
        return "safetensors"
    if is_torch_zip(file) or is_legacy(file):
        return "torch"
    if is_zip(file):
        return "unknown"
    if head[:1] == b"\x80" and head[1:2] in (b"\2", b"\3", b"\4", b"\5"):
        return "pickle"
    return "pickle" if _is_old_pickle(file) else "unknown"


def _is_old_pickle(file: Span) -> bool:
    """Protocols 0 and 1 have no mark: does it end like one, and run like one?"""
    if file.buffer[file.start] not in _FIRST_PROTOCOLS or file.buffer[file.stop - 1] != ord("."):
        return False
    budget = budget_of_a_look()
    machine = Machine(file, Naming(), budget)
    try:
        machine.run()
    except UnpicklingError:
        return budget.steps_left < 0  # so many sound instructions are not there by chance
    return machine.cursor.position == file.stop

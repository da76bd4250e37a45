"""Files of torch.save: a zip since torch 1.6, a run of pickles with the storages behind it before.

Either way there is one pickle of the object, in which a *persistent identifier* stands for each
storage: ("storage", class, key, location, elements), and in the older form a view or None. NVIDIA's
pickles hold a whole file of the older form for every tensor, to this day.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor

from regen.errors import UnpicklingError
from regen.files.budget import LONGEST_KEY, NESTED_STEPS, TENSOR_STEPS, Budget, fits
from regen.unpickling.building import Building
from regen.unpickling.literals import Cursor
from regen.unpickling.machine import Machine
from regen.unpickling.source import Span, budget_of_a_look
from regen.unpickling.tensors import allocated, read_block, storage_dtype, typed, view
from regen.unpickling.values import Context, Global, kind, shown
from regen.unpickling.zip_entries import is_zip, zip_entries

_MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
_VERSION = 1001
_LONGEST_MAGIC_BYTES = 64


class TorchReader:
    """Reads torch files, all of which belong to one file of the disk.

    Args:
        budget: Of that file.
    """

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._preamble = b""

    def read(self, file: Span) -> object:
        """The object that was saved. A torch file that lies in another is refused.

        Raises:
            UnpicklingError: If it is damaged, names what is not known, or was written on a machine
                whose numbers have their bytes the other way around.
        """
        self._budget.work(NESTED_STEPS)
        if is_zip(file):
            return _read_zip(file, self._budget)
        return _read_legacy(self._legacy_pickle(file), self._budget)

    def pickle_of(self, file: Span) -> Span:
        """Where the pickle of the object begins: a span of it, and perhaps of more after it."""
        if is_zip(file):
            return _zip_folder(file, self._budget)["data.pkl"]
        return self._legacy_pickle(file)

    def _legacy_pickle(self, file: Span) -> Span:
        """Read the three pickles in front, which say what the file is; give what follows.

        The hundreds of files inside of a pickle begin alike, so the last beginning is kept.
        """
        if file.starts_with(self._preamble) and self._preamble:
            return file.part(file.start + len(self._preamble), file.stop)
        if not is_legacy(file):
            raise UnpicklingError("it does not begin like a file of torch.save")
        rest, heads = file, []
        for _ in range(3):
            machine = _plain_machine(rest, self._budget)
            heads.append(machine.run())
            rest = file.part(machine.cursor.position, file.stop)
        _, version, system = heads
        if type(version) is not int or version != _VERSION or type(system) is not dict:
            raise UnpicklingError("it is damaged: it is of no known version of torch.save")
        _check_endianness(system.get("little_endian"))
        self._preamble = bytes(file.part(file.start, rest.start).plain())
        return rest


def is_legacy(file: Span) -> bool:
    """Whether the bytes begin with the number that marks the older form."""
    head = file.part(file.start, min(file.stop, file.start + _LONGEST_MAGIC_BYTES))
    try:
        number = _plain_machine(head, budget_of_a_look()).run()
    except UnpicklingError:
        return False
    return type(number) is int and number == _MAGIC_NUMBER


def is_torch_zip(file: Span) -> bool:
    """Whether the bytes are a zip with torch's pickle: its first entry, even if it is damaged."""
    length = int.from_bytes(file.buffer[file.start + 26 : file.start + 28], "little")
    first = file.buffer[file.start + 30 : min(file.start + 30 + length, file.stop)]
    if not is_zip(file) or first.endswith(b"/data.pkl"):
        return is_zip(file)
    try:
        return any(name.endswith("/data.pkl") for name in zip_entries(file, budget_of_a_look()))
    except UnpicklingError:
        return False


def _refuse_nested(span: Span) -> object:
    raise UnpicklingError("it holds a torch file inside of a torch file")


def _plain_machine(span: Span, budget: Budget) -> Machine:
    return Machine(span, Building(Context(budget, _refuse_nested)), budget)


def _check_endianness(is_little: object) -> None:
    if is_little is not True:
        raise UnpicklingError(
            "it was written on a big-endian machine", remedy="save it again on another machine"
        )


# The form since torch 1.6


def _zip_folder(file: Span, budget: Budget) -> dict[str, Span]:
    """The entries by their names inside of the one folder that all of them lie in."""
    entries = zip_entries(file, budget)
    folder = next(iter(entries), "").partition("/")[0] + "/"
    inside = {name.removeprefix(folder): span for name, span in entries.items()}
    if any(not name.startswith(folder) for name in entries) or "data.pkl" not in inside:
        raise UnpicklingError(
            "it is a zip, but not one of torch.save", expected="an entry data.pkl"
        )
    if "constants.pkl" in inside or any(name.startswith("code/") for name in inside):
        raise UnpicklingError(
            "it is a TorchScript program", remedy="save the state dict of the network instead"
        )
    return inside


def _read_zip(file: Span, budget: Budget) -> object:
    entries = _zip_folder(file, budget)
    if "byteorder" in entries:
        _check_endianness(entries["byteorder"].plain() == b"little")
    flat: dict[str, Tensor] = {}

    def storage(identifier: object) -> object:
        storage_class, key, elements = _identified(identifier, 5)[:3]
        dtype, entry = storage_dtype(storage_class), entries.get(f"data/{key}")
        held = "no entry" if entry is None else f"{len(entry):,} bytes"
        if entry is None or len(entry) != elements * dtype.itemsize:
            raise UnpicklingError(
                f"it is damaged: storage {shown(key)}: got {held}, "
                f"expected {elements:,} elements of {dtype}"
            )
        budget.work(TENSOR_STEPS)
        if key not in flat:
            flat[key] = read_block(entry, budget)
        return typed(flat[key], dtype)

    machine = Machine(
        entries["data.pkl"], Building(Context(budget, _refuse_nested), storage), budget
    )
    value = machine.run()
    machine.cursor.check_end()
    return value


# The form before


class _LegacyStorages:
    """Storages that are named before their content comes."""

    def __init__(self, file: Span, budget: Budget) -> None:
        self._file, self._budget = file, budget
        self._flat: dict[str, tuple[Tensor, int]] = {}

    def __call__(self, identifier: object) -> object:
        if _begins_with(identifier, "module", 4):
            assert isinstance(identifier, tuple)
            return self._module(identifier[1])
        storage_class, key, elements, part = _identified(identifier, 6)
        dtype = storage_dtype(storage_class)
        size = elements * dtype.itemsize
        self._budget.work(TENSOR_STEPS)
        if key not in self._flat:
            if size > len(self._file):
                raise UnpicklingError(
                    f"it is truncated or damaged: a storage of {size:,} bytes is announced, "
                    f"{len(self._file):,} follow"
                )
            self._flat[key] = allocated(size, self._budget), dtype.itemsize
        flat = self._flat[key][0]
        if flat.numel() != size:
            raise UnpicklingError(f"it is damaged: storage {shown(key)} has two sizes")
        return typed(flat, dtype) if part is None else _part(typed(flat, dtype), part)

    @staticmethod
    def _module(module_class: object) -> object:
        """A class of modules, which older files give with its source text. That is left behind."""
        if not isinstance(module_class, Global):
            raise UnpicklingError(f"it is damaged: a class of modules is {kind(module_class)}")
        return module_class

    def fill(self, keys: object, cursor: Cursor) -> None:
        """Read the content of every storage, in the order of `keys`, up to the end of the file."""
        names = keys if type(keys) is list and all(type(key) is str for key in keys) else []
        if len(names) != len(self._flat) or set(names) != set(self._flat):
            raise UnpicklingError("it is damaged: its storages are not those it names")
        for key in names:
            flat, itemsize = self._flat[key]
            if cursor.count(8) * itemsize != flat.numel():
                raise UnpicklingError(f"it is damaged: storage {shown(key)} has two sizes")
            start = cursor.skip(flat.numel())
            if flat.numel():
                cursor.span.part(start, cursor.position).fill(flat.numpy().data)
        cursor.check_end()


def _read_legacy(file: Span, budget: Budget) -> object:
    storages = _LegacyStorages(file, budget)
    machine = Machine(file, Building(Context(budget, _refuse_nested), storages), budget)
    value = machine.run()
    rest = file.part(machine.cursor.position, file.stop)
    keys = _plain_machine(rest, budget)
    names = keys.run()
    storages.fill(names, keys.cursor)
    return value


def _identified(identifier: object, length: int) -> tuple[Any, str, int, Any]:
    """Class, key, number of elements and view of a storage."""
    if not _begins_with(identifier, "storage", length):
        raise UnpicklingError("it is damaged: it refers to data that is not a storage")
    assert isinstance(identifier, tuple)
    _, storage_class, key, _, elements = identifier[:5]
    if type(key) is not str or len(key) > LONGEST_KEY or not fits([elements]):
        raise UnpicklingError("it is damaged: it refers to a storage without a name and a size")
    return storage_class, key, elements, identifier[5] if length == 6 else None


def _begins_with(identifier: object, word: str, length: int) -> bool:
    """Whether a persistent identifier is a tuple of this length that begins with this word."""
    if not isinstance(identifier, tuple) or len(identifier) != length:
        return False
    return type(identifier[0]) is str and identifier[0] == word


def _part(storage: Tensor, part: object) -> Tensor:
    """A view (key, offset, elements) of a storage, as files of torch 0.1 have them."""
    if not isinstance(part, tuple) or len(part) != 3:
        raise UnpicklingError("it is damaged: it refers to an unusual part of a storage")
    return view(storage, part[1], (part[2],), (1,))

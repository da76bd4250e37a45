"""All hostile files, and what Python does while they are read.

`python -m tests.unpickling.hostile FOLDER` writes them to a folder, reads each under an audit hook
and prints one line for everything that reading a file does not need: nothing, if all is well.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from regen.errors import UnpicklingError
from regen.unpickling import globals_of, read_pickle, read_torch_file, sniff
from tests.unpickling import writer
from tests.unpickling.hostile_calls import calls, misuses, states
from tests.unpickling.hostile_costs import costly_zips, costs, odd_comparisons
from tests.unpickling.hostile_instructions import instructions, structures
from tests.unpickling.hostile_tensors import arrays, tensors, zips

# Reading opens and maps a file; the rest is what tests and warnings do.
HARMLESS = ("open", "mmap.__new__", "object.__getattr__", "sys._getframe", "builtins.id")


def pickles(mark: Path) -> dict[str, tuple[bytes, str]]:
    """Name, bytes and words of refusal of every bare pickle; `mark` is what some would make."""
    groups = (calls(mark), misuses(mark), states(), instructions(), structures(), arrays())
    return {
        name: (value if isinstance(value, bytes) else writer.pickled(value), words)
        for group in (*groups, tensors(), costs(), odd_comparisons())
        for name, (value, words) in group.items()
    }


def torch_files() -> dict[str, tuple[bytes, str]]:
    """Name, bytes and words of refusal of every torch file."""
    return {**zips(), **costly_zips()}


def refused(read: Callable[[Path], object], path: Path) -> bool:
    """Whether reading ends with a clean refusal; another error is not caught."""
    try:
        read(path)
    except UnpicklingError:
        return True
    return False


def main(folder: Path) -> None:
    """Write, read, and print what happened that should not."""
    files = [(data, read_pickle) for data, _ in pickles(folder / "mark").values()]
    files += [(data, read_torch_file) for data, _ in torch_files().values()]
    paths = [folder / str(index) for index in range(len(files))]
    for path, (data, _) in zip(paths, files, strict=True):
        path.write_bytes(data)
    source = f"open({str(folder / 'mark')!r}, 'w').write('x')"
    network = writer.persistent("Network", {"weight": torch.ones(3)}, module_src=source)
    honest = writer.write_pickle(folder / "honest", network)
    read_pickle(honest)  # whatever torch and numpy import on first use, they import now
    events: list[str] = []

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        writes = event == "open" and (arguments[1] not in ("rb", "r") and arguments[2] & 3)
        if event.startswith("cpython.") or (event in HARMLESS and not writes):
            return
        events.append(f"{event} {str(arguments)[:200]}")

    modules = set(sys.modules)
    sys.addaudithook(hook)
    for path, (_, read) in zip(paths, files, strict=True):
        for reader in (read, globals_of, sniff):
            events.clear()
            clean = refused(reader, path) or reader is not read
            if events or not clean:
                print(path.name, reader.__name__, events, "read" if not clean else "")
    events.clear()
    weight = read_pickle(honest).state["weight"]  # type: ignore[attr-defined]
    if events or weight.sum() != 3:
        print("honest", events)
    print(*(set(sys.modules) - modules), end="")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

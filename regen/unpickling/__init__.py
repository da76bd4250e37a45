"""Pickles and torch files of other tools, read as data: nothing that a file names is ever run.

A pickle is a program, for a machine that can import and call anything. Here is such a machine that
cannot: it knows by name the few classes and functions which files of generators use, builds plain
data in their place, and refuses a file at the first other name. A file is also refused when it
would cost far more than its size warrants, or become something that cannot be walked: see
`regen.files.budget` and `structure`.

- `read_pickle` reads what pickle.dump wrote, NVIDIA's ``.pkl`` files for instance.
- `read_torch_file` reads what torch.save wrote.
- `globals_of` lists what either names, and reads no further.
- `sniff` tells one from the other.
- `opened`, `format_of` and `value_of` do the same to a file that is opened once.

What is no plain data becomes an `Instance`. Storages are read once, straight into their tensors.
"""

from regen.errors import UnpicklingError
from regen.unpickling.reading import (
    Format,
    format_of,
    globals_of,
    read_pickle,
    read_torch_file,
    sniff,
    value_of,
)
from regen.unpickling.source import opened
from regen.unpickling.values import Instance, NamedGlobal

__all__ = [
    "Format",
    "Instance",
    "NamedGlobal",
    "UnpicklingError",
    "format_of",
    "globals_of",
    "opened",
    "read_pickle",
    "read_torch_file",
    "sniff",
    "value_of",
]

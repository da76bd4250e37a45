"""Where a generator's file is: bundled generators have names, all others paths."""

from __future__ import annotations

import difflib
from os.path import exists, isfile  # unlike those of Path, they take names that are too long
from pathlib import Path

from regen.errors import GeneratorError
from regen.files.addresses import address_of, is_forbidden, not_there
from regen.files.paths import checked_path
from regen.files.run_files import CHECKPOINT_FILE, GENERATOR_FILE

BUNDLED_FOLDER = Path(__file__).parent / "bundled"
BUNDLED = ("portraits", "portraits-inpaint", "portraits-cats", "london-faces")
_UNFINISHED = (CHECKPOINT_FILE, "snapshots")  # of a run folder of `regen train-generator`


def _bundled(name: str) -> Path:
    path = BUNDLED_FOLDER / f"{name}.safetensors"
    if isfile(path):
        return path
    raise GeneratorError(
        f"the bundled generator {name} has no weights in this installation",
        remedy="install the package again",
    )


def generator_path(name_or_path: str | Path) -> Path:
    """The file of a bundled generator, that of a run folder, or the path itself.

    Raises:
        GeneratorError: If there is neither such a name nor such a file.
    """
    name = checked_path(name_or_path, GeneratorError, "generator", expected="a name or a path")
    if name in BUNDLED:
        return _bundled(name)
    path = Path(name)
    if isfile(path / GENERATOR_FILE):
        return path / GENERATOR_FILE
    if isfile(path):
        if path.suffix == ".json":
            raise GeneratorError(
                f"{name} is not a generator", got="JSON", remedy="an edits file goes to --edits"
            )
        return path
    if address_of(name) is not None or is_forbidden(name):
        expected = "a local file, or the name of a bundled generator"
        raise not_there(name, GeneratorError, expected=expected)
    if all(exists(path / part) for part in _UNFINISHED):
        raise GeneratorError(
            f"{name} holds a training that has not ended, and no generator yet",
            expected=f"{GENERATOR_FILE} in it",
            remedy="continue: `regen train-generator` with the options of its start and --resume",
        )
    near = difflib.get_close_matches(name, BUNDLED, 1)
    raise GeneratorError(
        "no such generator",
        got=name,
        expected=f"a file, or the bundled {' or '.join(BUNDLED)}",
        remedy=f"did you mean {near[0]}?" if near else "check the path",
    )

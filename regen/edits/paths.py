"""Files that an edits file names: paths relative to it, and names of what needs no file."""

from __future__ import annotations

import re
from os.path import isfile
from pathlib import Path
from typing import Annotated

from regen.edits.checked_json import is_there, shortened, shown
from regen.edits.validation import NOT_EMPTY, EditsFile, Expected, ReadAs
from regen.errors import EditsError
from regen.files.addresses import address_of, not_there, remedy_of
from regen.files.run_files import GENERATOR_FILE

# How PNG, JPEG, WebP, GIF and TIFF begin in base64.
_BASE64_OF_IMAGE = re.compile("iVBORw0KGgo|/9j/[24]|UklGR|R0lGOD|SUkqA|TU0AK")
_BASE64 = re.compile(r"[A-Za-z0-9+/=\s]*")
_LONGEST_NAME = 255  # characters of a file's name


def existing_file(text: str, file: EditsFile) -> str:
    """The path of a file that is there, relative to the folder of `file`. Raises EditsError."""
    path = file.folder / text
    name = shortened(str(path), 1000) if len(text) < 1000 else shown(text)
    if not is_there(path):
        refuse_address(text, "a path")
        raise not_there(path, EditsError, name=name, remedy=_instead_of(text))
    if not path.is_file():
        kind = "a folder" if path.is_dir() else "a device or a pipe"
        raise EditsError(name, got=kind, expected="a file")
    return str(path)


def refuse_address(text: str, expected: str) -> None:
    """Raise EditsError if a text is an address, where something else is expected."""
    address = address_of(text)
    if address is not None:
        got = f"the address {shown(text)}"
        raise EditsError("", got=got, expected=expected, remedy=remedy_of(address))


def _instead_of(text: str) -> str:
    """What to do about a path where nothing is."""
    if text.startswith("~"):
        return "write the path of your home folder out in place of ~"
    long = len(text) > _LONGEST_NAME and _BASE64.fullmatch(text)
    if text[:5].lower() == "data:" or _BASE64_OF_IMAGE.match(text) or long:
        return 'an image inside the file starts with "data:image/png;base64,"'
    return "paths are relative to the edits file"


def name_or_file(text: str, file: EditsFile) -> str:
    """A plain name as it is; what looks like a path, as `existing_file`, or a run folder's file."""
    is_path = "/" in text or "\\" in text or bool(Path(text).suffix)
    if not is_path:
        return text
    trained = file.folder / text / GENERATOR_FILE
    return str(trained) if isfile(trained) else existing_file(text, file)


ExistingFile = Annotated[str, ReadAs(Annotated[str, NOT_EMPTY, Expected("a path")], existing_file)]
NameOrFile = Annotated[
    str, ReadAs(Annotated[str, NOT_EMPTY, Expected("a name or a path")], name_or_file)
]

"""Files that an edits file names: paths relative to it, and names of what needs no file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

from regen.edits.checked_json import is_there, shortened, shown
from regen.edits.validation import NOT_EMPTY, EditsFile, Expected, ReadAs
from regen.errors import EditsError

# How PNG, JPEG, WebP, GIF and TIFF begin in base64.
_BASE64_OF_IMAGE = re.compile("iVBORw0KGgo|/9j/[24]|UklGR|R0lGOD|SUkqA|TU0AK")
_BASE64 = re.compile(r"[A-Za-z0-9+/=\s]*")


def existing_file(text: str, file: EditsFile) -> str:
    """The path of a file that is there, relative to the folder of `file`. Raises EditsError."""
    path = file.folder / text
    name = shortened(str(path), 1000) if len(text) < 1000 else shown(text)
    if not is_there(path):
        remedy = "paths are relative to the edits file"
        if _BASE64_OF_IMAGE.match(text) or len(text) > 255 and _BASE64.fullmatch(text):
            remedy = 'an image inside the file starts with "data:image/png;base64,"'
        raise EditsError(f"{name} does not exist", remedy=remedy)
    if not path.is_file():
        kind = "a folder" if path.is_dir() else "a device or a pipe"
        raise EditsError(name, got=kind, expected="a file")
    return str(path)


def name_or_file(text: str, file: EditsFile) -> str:
    """A plain name as it is; what looks like a path, as `existing_file`."""
    is_path = "/" in text or "\\" in text or bool(Path(text).suffix)
    return existing_file(text, file) if is_path else text


ExistingFile = Annotated[str, ReadAs(Annotated[str, NOT_EMPTY, Expected("a path")], existing_file)]
NameOrFile = Annotated[
    str, ReadAs(Annotated[str, NOT_EMPTY, Expected("a name or a path")], name_or_file)
]

"""The session's folder: what it was is found again, after a reload, a crash or another day.

    session.json              the document; written whole after every change
    pictures/NAME.png         exemplars that were brought, without metadata
    rules/KEY/                each rule that was learned:
      edits.json              with its images inside; `regen rewrite --edits` learns it again
      settings.json           for its ``--config``
      losses.json             the curve of the fit
      rewrite.safetensors
    export/                   what was handed out last

Names in it are made here. A name that comes from a page is looked up, never joined to a path.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from regen.editor.document import Document, document_of
from regen.errors import RegenError
from regen.files.atomic import ensure_folder, remove_abandoned, write_bytes, write_json
from regen.files.run_files import EDITS_FILE, REWRITE_FILE, SETTINGS_FILE

VERSION = 1
_WRITTEN_BEFORE = (SETTINGS_FILE, EDITS_FILE, "losses.json")  # a rule's rewrite

_DAMAGED = (ValueError, KeyError, TypeError, AttributeError, OSError, RecursionError, RegenError)


class Kept:
    """A session's folder.

    Args:
        folder: Made where there is none.

    Raises:
        StoreError: If it cannot be written to.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = ensure_folder(folder)

    def clear_unfinished(self) -> None:
        """Remove what a killed editor left in the middle of writing.

        That is temporary files, and what a rule that was not learned to its end was learned from.
        """
        for folder in (self.folder / "pictures", self.folder / "export"):
            remove_abandoned(folder)
        for folder in (self.folder / "rules").glob("*"):
            remove_abandoned(folder)
            if not (folder / REWRITE_FILE).exists():
                with suppress(OSError):  # a folder that holds anything else stays
                    for name in _WRITTEN_BEFORE:
                        (folder / name).unlink(missing_ok=True)
                    folder.rmdir()

    def save(self, document: Document, generator: str) -> None:
        """Write the document, all or nothing. Raises StoreError if that fails."""
        content = {"version": VERSION, "generator": generator, **document.to_json()}
        write_json(self.folder / "session.json", content)

    def load(self, generator: str) -> Document | None:
        """The document that was saved; None where there is none.

        Raises:
            RegenError: If the file is damaged, or of another generator.
        """
        path = self.folder / "session.json"
        if not path.is_file():
            return None
        remedy = "choose another folder with -o, or remove it"
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            known = content["version"] == VERSION
            document = document_of(content) if known else None
        except _DAMAGED as error:
            raise RegenError(f"{path} is not a session that can be read", remedy=remedy) from error
        if document is None:
            got, expected = content["version"], str(VERSION)
            raise RegenError(f"{path}: version", got=got, expected=expected, remedy="update regen")
        if content["generator"] != generator:
            raise RegenError(
                f"{self.folder} holds a session of another generator",
                got=content["generator"],
                expected=generator,
                remedy="choose another folder with -o",
            )
        return document

    def picture(self, png: bytes) -> Path:
        """Keep an exemplar; equal ones are kept once."""
        folder = ensure_folder(self.folder / "pictures")
        path = folder / f"{hashlib.sha256(png).hexdigest()[:16]}.png"
        if not path.exists():
            write_bytes(path, png)
        return path

    def rule(self, key: str) -> Path:
        """The folder of a rule, made where there is none."""
        return ensure_folder(self.folder / "rules" / key)

    def rewrite(self, key: str) -> Path:
        """The file of a rule's rewrite."""
        return self.folder / "rules" / key / REWRITE_FILE

    def exports(self) -> Path:
        """The folder of what is handed out, made where there is none."""
        return ensure_folder(self.folder / "export")

    def write_rule(self, key: str, edits: dict[str, Any], settings: dict[str, Any]) -> Path:
        """Write what a rule is to be learned from; returns its edits file."""
        folder = self.rule(key)
        write_json(folder / SETTINGS_FILE, settings)
        write_json(folder / EDITS_FILE, edits)
        return folder / EDITS_FILE

"""Finished rows on disk, so that a run that was stopped can be resumed.

Every row has a folder in the work folder, named after the row and a digest of all settings that
decide it. Its result is written whole when the row is done; a row whose settings change has another
digest and is computed again. Editing the code does not change a digest: remove the work folder.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from regen.errors import StoreError
from regen.files import tensor_file
from regen.files.as_json import to_json
from regen.files.atomic import ensure_folder, write_json
from regen.images import to_uint8

_FORMAT, _VERSION = "measured table row", 1


@dataclass(frozen=True)
class Finished:
    """A row that is done.

    Attributes:
        result: JSON values.
        images: Batches of images ``[N, 3, R, R]`` in [-1, 1], rounded to eight bits, for the
            sheet.
        arrays: Other tensors for the sheet, as they were.
    """

    result: dict[str, Any]
    images: dict[str, Tensor]
    arrays: dict[str, Tensor]


def settings_digest(settings: object) -> str:
    """Twelve hex digits of SHA-256 over settings; equal settings give equal digits everywhere.

    Example:
        >>> settings_digest({"a": 1, "b": 2}) == settings_digest({"b": 2, "a": 1})
        True
    """
    text = json.dumps(to_json(settings), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


class WorkFolder:
    """Results of rows by name and settings.

    Args:
        folder: Made if there is none.

    Raises:
        StoreError: If it cannot be written to; by `put`, too.
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = ensure_folder(folder)

    def place(self, name: str, settings: object) -> Path:
        """The folder of one row, made if there is none; checkpoints of its training go there."""
        return ensure_folder(self.folder / f"{name}-{settings_digest(settings)}")

    def find(self, name: str, settings: object) -> Finished | None:
        """The stored result of a row, or None if it is not done or its file is damaged."""
        folder = self.folder / f"{name}-{settings_digest(settings)}"
        try:
            result = json.loads((folder / "result.json").read_text())
            tensors = tensor_file.load(folder / "tensors.safetensors", format=_FORMAT).tensors
        except (OSError, StoreError, json.JSONDecodeError):
            return None
        images = {
            key.removeprefix("images."): tensor.float() / 127.5 - 1
            for key, tensor in tensors.items()
            if key.startswith("images.")
        }
        arrays = {
            key.removeprefix("arrays."): tensor
            for key, tensor in tensors.items()
            if key.startswith("arrays.")
        }
        return Finished(result["result"], images, arrays)

    def put(
        self,
        name: str,
        settings: object,
        result: Mapping[str, Any],
        images: Mapping[str, Tensor] | None = None,
        arrays: Mapping[str, Tensor] | None = None,
    ) -> Finished:
        """Store a row that is done, and return it as `find` will.

        The tensors go first: a row counts as done when its result.json is there.
        """
        folder = self.place(name, settings)
        tensors = {f"images.{key}": to_uint8(value) for key, value in (images or {}).items()}
        tensors |= {f"arrays.{key}": value for key, value in (arrays or {}).items()}
        header = {"format": _FORMAT, "version": _VERSION}
        tensor_file.save(folder / "tensors.safetensors", tensors, header)
        content = {"settings": to_json(settings), "result": to_json(dict(result))}
        write_json(folder / "result.json", content)
        found = self.find(name, settings)
        assert found is not None
        return found

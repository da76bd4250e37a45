"""Images that hold a pattern: those that a package brings, and those that a person brings."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from regen import api
from regen.editor.encoding import picture_uri
from regen.editor.kept import Kept
from regen.editor.painting import Picture
from regen.errors import RegenError

if TYPE_CHECKING:
    from torch import Tensor

LARGEST_PICTURE = 1600  # pixels a side of an exemplar; a larger one is reduced when it is brought
_BUNDLED = {"cat": "skimage:chelsea"}
_PNG = "data:image/png;base64,"


class Exemplars:
    """The exemplars of a session.

    Args:
        kept: The session's folder, which keeps what a person brings.
    """

    def __init__(self, kept: Kept) -> None:
        self.kept = kept

    def bundled(self, name: str) -> tuple[Picture, str]:
        """A photograph that an installed package brings, and its image.

        Raises:
            RegenError: If the package is not installed, or there is no such photograph.
        """
        if name not in _BUNDLED:
            raise RegenError("picture", got=name, expected=" or ".join(_BUNDLED))
        source = _BUNDLED[name]
        return _picture(source, name, api.exemplar_image(source))

    def brought(self, data: bytes, name: str) -> tuple[Picture, str]:
        """An image that a person brought, kept without metadata, and its image.

        Raises:
            ImageError: If it cannot be read, or is too large.
        """
        brought = api.bring(data, LARGEST_PICTURE, name=name)
        path = self.kept.picture(brought.png)
        alpha = _PNG + base64.b64encode(brought.alpha).decode() if brought.alpha else ""
        return _picture(str(path), name, api.exemplar_image(str(path)), alpha)

    def shown(self, picture: Picture) -> str:
        """The image of an exemplar."""
        return picture_uri(api.exemplar_image(picture.source)[0])


def _picture(source: str, name: str, image: Tensor, alpha: str = "") -> tuple[Picture, str]:
    height, width = int(image.shape[2]), int(image.shape[3])
    return Picture(source, name, height, width, alpha), picture_uri(image[0])

"""Images that hold a pattern."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from regen import api
from regen.editor.encoding import picture_uri
from regen.editor.exemplars import Exemplars
from regen.editor.kept import Kept
from regen.errors import RegenError


def test_an_image_is_brought_once_without_metadata(kept: Kept) -> None:
    file = io.BytesIO()
    image = Image.new("RGBA", (20, 10), (255, 0, 0, 0))
    image.paste((0, 0, 255, 255), (0, 0, 10, 10))
    image.save(file, "PNG")
    exemplars = Exemplars(kept)
    picture, shown = exemplars.brought(file.getvalue(), "cat.png")
    assert picture.size == (10, 20) and picture.alpha and picture.name == "cat.png"
    assert str(kept.folder) in picture.source and exemplars.shown(picture) == shown


def test_the_photograph_of_a_cat(kept: Kept) -> None:
    exemplars = Exemplars(kept)
    picture, shown = exemplars.bundled("cat")
    assert (picture.source, picture.size, picture.alpha) == ("skimage:chelsea", (300, 451), "")
    assert shown == picture_uri(api.exemplar_image("skimage:chelsea")[0])
    with pytest.raises(RegenError, match="picture: got dog, expected cat"):
        exemplars.bundled("dog")

"""`regen.edits.exemplars`: images and patterns that hold something new."""

import sys

import pytest
import torch

from regen.edits.exemplars import ExemplarField, Image, ImageField, Pattern
from regen.edits.validation import ObjectModel, validated
from regen.errors import EditsError, ImageError
from regen.images import save_image


class File(ObjectModel):
    """A file with an exemplar, or a picture."""

    exemplar: ExemplarField | None = None
    picture: ImageField | None = None


def read(value, folder, key="exemplar"):
    return getattr(validated(File, {key: value}, file="e.json", folder=folder), key)


@pytest.fixture
def photographs(tmp_path, monkeypatch):
    """A stand-in for scikit-image with two photographs, which must not be imported."""
    package = tmp_path / "site" / "skimage"
    (package / "data").mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    for name in ("chelsea", "coffee"):
        save_image(package / "data" / f"{name}.png", torch.zeros(1, 3, 4, 6))
    monkeypatch.delitem(sys.modules, "skimage", raising=False)
    monkeypatch.syspath_prepend(tmp_path / "site")
    return package / "data"


def test_a_path_is_relative_to_the_file(tmp_path):
    save_image(tmp_path / "cat.png", torch.zeros(1, 3, 4, 6))
    image = read("cat.png", tmp_path)
    assert image == Image(str(tmp_path / "cat.png"))
    assert image.load().shape == (1, 3, 4, 6)
    assert image.to_json(embed=False) == str(tmp_path / "cat.png")
    embedded = read(image.to_json(embed=True), tmp_path)
    (tmp_path / "cat.png").unlink()
    torch.testing.assert_close(embedded.load(), torch.full((1, 3, 4, 6), 1 / 255))
    assert embedded.to_json(embed=False) == embedded.source
    with pytest.raises(ImageError, match="cat.png does not exist"):
        image.load()


def test_a_photograph_of_scikit_image(photographs, tmp_path):
    for name in ("skimage:chelsea", "skimage:cat"):
        image = read(name, tmp_path)
        assert image == Image(name)
        assert image.location == str(photographs / "chelsea.png")
        assert image.load().shape == (1, 3, 4, 6)
        assert image.to_json(embed=False) == name
        assert image.to_json(embed=True).startswith("data:image/png;base64,")


def test_a_picture_is_an_image_and_nothing_else(photographs, tmp_path):
    assert read("skimage:cat", tmp_path, "picture") == Image("skimage:cat")
    for wrong, got in (({"pattern": "x", "seed": 1}, '{"pattern": "x", "seed": 1}'), ("", '""')):
        with pytest.raises(EditsError) as caught:
            read(wrong, tmp_path, "picture")
        expected = "an image, as path, data URI or skimage:NAME"
        assert str(caught.value) == f"e.json: picture: got {got}, expected {expected}"


def test_the_real_chelsea_is_there():
    pytest.importorskip("skimage", reason="scikit-image is a dependency of the demo only")
    assert Image("skimage:chelsea").load().shape == (1, 3, 300, 451)


@pytest.mark.parametrize(
    ("name", "remedy"),
    [("chelsee", "did you mean skimage:chelsea?"), ("../x", "try skimage:chelsea")],
)
def test_an_unknown_photograph_is_refused(photographs, tmp_path, name, remedy):
    with pytest.raises(EditsError) as caught:
        read(f"skimage:{name}", tmp_path)
    problem = f"scikit-image installs no photograph {name!r}"
    assert str(caught.value) == f"e.json: exemplar: {problem}; {remedy}"


def test_a_missing_scikit_image_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    problem = "skimage:cat is a photograph of scikit-image, which is not installed"
    remedy = "run `pip install scikit-image`"
    with pytest.raises(EditsError) as caught:
        read("skimage:cat", tmp_path)
    assert str(caught.value) == f"e.json: exemplar: {problem}; {remedy}"
    with pytest.raises(EditsError, match="exemplar: skimage:cat is a photograph of scikit-image"):
        Image("skimage:cat").load()


def test_a_pattern_is_drawn_by_the_renderer(tmp_path):
    pattern = read({"pattern": "cat_eyes", "seed": 7}, tmp_path)
    assert pattern == Pattern("cat_eyes", 7)
    assert pattern.to_json(embed=True) == {"pattern": "cat_eyes", "seed": 7}
    other = read({"pattern": "gear", "seed": 1, "generator": "portraits"}, tmp_path)
    assert other == Pattern("gear", 1, "portraits")
    assert read(other.to_json(embed=False), tmp_path) == other


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (3, ": got 3, expected an image, as path, data URI or skimage:NAME, or a {pattern, seed}"),
        ("", ': got "", expected an image, as path, data URI'),
        (["x"], ': got ["x"], expected an image, as path, data URI'),
        ({"patern": "x", "seed": 1}, ": unknown key 'patern'; did you mean 'pattern'?"),
        ({"pattern": "x"}, ": key 'seed' is missing"),
        ({"pattern": "x", "seed": 1.5}, ".seed: got 1.5, expected an integer from 0"),
        ({"pattern": 1, "seed": 1}, ".pattern: got 1, expected text"),
        ({"pattern": "x", "seed": 1, "generator": "a/b"}, ".generator: "),
    ],
)
def test_what_is_not_an_exemplar_is_refused(tmp_path, value, problem):
    with pytest.raises(EditsError) as caught:
        read(value, tmp_path)
    assert str(caught.value).startswith(f"e.json: exemplar{problem}")


def test_a_missing_image_is_refused(tmp_path):
    expected = f"{tmp_path / 'no.jpg'} does not exist; paths are relative to the edits file"
    with pytest.raises(EditsError) as caught:
        read("no.jpg", tmp_path)
    assert str(caught.value) == f"e.json: exemplar: {expected}"

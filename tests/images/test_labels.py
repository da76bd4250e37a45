"""`regen.images.labels`: the size and the lines of labels."""

from __future__ import annotations

import pytest
from PIL import Image, ImageChops, ImageDraw

from regen.images.labels import FONT_SIZE, READABLE, SMALLEST_FONT, Labels


def marked(labels: Labels, index: int, width: int) -> tuple[int, int, int, int] | None:
    """The box of what a label marks of an image, in whose middle it is drawn."""
    paper = Image.new("RGB", (3 * width, 100), "white")
    drawn = paper.copy()
    labels.draw(ImageDraw.Draw(drawn), index, 1.5 * width, 50)
    return ImageChops.difference(paper, drawn).getbbox()


@pytest.mark.parametrize(
    ("text", "width", "height"),
    [
        ("seed 3", 128, 1.2 * FONT_SIZE),
        ("seed 10003", 80, 1.2 * 15),  # smaller, but readable
        ("seed 10000, style 10000", 128, 2 * 1.2 * FONT_SIZE),
        ("photograph of_somebody", 80, 2 * 1.2 * 12),
        ("a_very_long_name_of_a_photograph.jpg", 80, 2 * 1.2 * SMALLEST_FONT),
    ],
)
@pytest.mark.parametrize("more", [[], ["x"]])
def test_labels_are_as_large_as_fits(text: str, width: int, height: float, more: list[str]) -> None:
    labels = Labels([*more, text], width)
    assert abs(labels.height - height) < 1.3
    box = marked(labels, len(more), width)
    assert box is not None and width - 2 <= box[0] < box[2] <= 2 * width + 2
    assert 49 - labels.height / 2 <= box[1] < box[3] <= 51 + labels.height / 2


def test_one_line_is_no_smaller_than_can_be_read() -> None:
    labels = Labels(["photograph somebody"], 150)
    assert 1.2 * READABLE - 1 < labels.height <= 1.2 * FONT_SIZE


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("IMG_20261128_long_0001.jpg", "IMG_20261128_long_0002.jpg"),
        ("of somebody whose name is long, 1.jpg", "of somebody whose name is long, 2.jpg"),
        ("dog of a neighbour, style of cat 1.jpg", "dog of a neighbour, style of cat 2.jpg"),
    ],
)
def test_long_names_are_told_apart_by_their_ends(one: str, other: str) -> None:
    drawn = []
    for text in (one, other):
        image = Image.new("RGB", (64, 40), "white")
        Labels([text], 64).draw(ImageDraw.Draw(image), 0, 32, 20)
        drawn.append(image.tobytes())
    assert drawn[0] != drawn[1]


@pytest.mark.parametrize("text", ["", " ", "a\nb.jpg", "\u202egpj.a", "a\ud800"])
def test_any_text_can_be_drawn(text: str) -> None:
    labels = Labels([text], 64)
    box = marked(labels, 0, 64)
    assert (box is None) == (not text.strip())


def test_no_labels_take_no_room() -> None:
    assert Labels([], 64).height == 0


def test_a_column_of_no_width_ends_too() -> None:
    assert Labels(["seed 10003"], 1).height > 0

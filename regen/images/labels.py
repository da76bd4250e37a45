"""Labels over images: in one size, broken into lines, and shortened where nothing else helps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from PIL import ImageDraw, ImageFont

from regen.errors import printable

INK = (40, 38, 36)
FONT_SIZE, READABLE, SMALLEST_FONT = 20, 14, 10  # pixels
_LEADING = 1.2  # height of a line, in sizes of the font
_DOTS = "..."

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


class Labels:
    """Texts that fit into columns.

    One line in the usual size is best; then one that is smaller, then two lines, then smaller ones.
    A text that is longer still is cut in two anywhere, and may lose its middle: names of files
    differ in their ends.

    Args:
        texts: Any; what cannot be printed is escaped.
        width: Pixels that each may take.

    Attributes:
        height: Pixels that the lines of the longest take.
    """

    def __init__(self, texts: Iterable[str], width: int) -> None:
        shown = [printable(text) for text in texts]
        self._font, self._lines = _fitted(shown, width)
        size = getattr(self._font, "size", FONT_SIZE)
        self._line_height = _LEADING * size
        self.height = round(max(map(len, self._lines), default=0) * self._line_height)

    def draw(self, draw: ImageDraw.ImageDraw, index: int, x: float, y: float) -> None:
        """Draw one, with its middle at (x, y)."""
        lines = self._lines[index]
        top = y - (len(lines) - 1) / 2 * self._line_height
        for i, line in enumerate(lines):
            draw.text((x, top + i * self._line_height), line, INK, self._font, anchor="mm")


def _fitted(texts: Sequence[str], width: int) -> tuple[Font, list[list[str]]]:
    """The largest font in which all texts fit, and their lines."""
    for most, least in ((1, READABLE), (2, SMALLEST_FONT)):
        for size in range(FONT_SIZE, least - 1, -1):
            font = ImageFont.load_default(size)
            lines = _all_words(texts, font, width, most)
            if lines is not None:
                return font, lines
    font = ImageFont.load_default(SMALLEST_FONT)
    return font, [_words(text, font, width, 2) or _ends(text, font, width) for text in texts]


def _all_words(texts: Sequence[str], font: Font, width: int, most: int) -> list[list[str]] | None:
    """The lines of all texts, or None once one does not fit."""
    lines = []
    for text in texts:
        words = _words(text, font, width, most)
        if words is None:
            return None
        lines.append(words)
    return lines


def _words(text: str, font: Font, width: int, most: int) -> list[str] | None:
    """The words in lines, or None if they do not fit into as many."""
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}".lstrip()
        if font.getlength(longer) <= width:
            lines[-1] = longer
        elif len(lines) == most or font.getlength(word) > width:
            return None
        else:
            lines.append(word)
    return lines


def _ends(text: str, font: Font, width: int) -> list[str]:
    """As much of the start as fits into one line, and as much of the end into another."""
    first = _longest(text, font, width)
    rest = text[len(first) :]
    if font.getlength(rest) <= width:
        return [first, rest]
    end = _longest(rest[::-1], font, width - font.getlength(_DOTS))[::-1]
    return [first, _DOTS + end]


def _longest(text: str, font: Font, width: float) -> str:
    """As much of a text's start as fits, and one character of it in any case."""
    count = 1
    while count < len(text) and font.getlength(text[: count + 1]) <= width:
        count += 1
    return text[:count]

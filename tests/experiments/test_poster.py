from __future__ import annotations

from PIL import Image

from experiments.poster import PLACES, poster


def test_each_column_is_one_sample_before_and_after() -> None:
    sheets = []
    for number in range(3):
        sheet = Image.new("RGB", (2062, 2062))
        for row in range(8):
            for column in range(8):
                shade = (30 * row, 30 * column, 80 * number)
                sheet.paste(shade, (column * 258, row * 258, column * 258 + 256, row * 258 + 256))
        sheets.append(sheet)
    picture = poster(sheets)
    assert picture.size == (8 * 195 - 3, 4 * 195 - 3)
    for x, (row, column) in enumerate(PLACES):
        middle = [picture.getpixel((x * 195 + 96, y * 195 + 96)) for y in range(4)]
        after = [(30 * (row + 1), 30 * column, 80 * number) for number in range(3)]
        assert middle == [(30 * row, 30 * column, 0), *after]

"""`regen.images.sheets`: rows, columns and cells of images, with their labels."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image

from regen.errors import StoreError
from regen.images.sheets import PAPER, draw_cells, draw_sheet, save_sheet, usual_columns

BLACK = (0, 0, 0)


@pytest.mark.parametrize(("side", "shown"), [(16, 32), (256, 256)])
def test_a_sheet_shows_small_images_twice_as_large(side: int, shown: int) -> None:
    white, black = torch.ones(2, 3, side, side), -torch.ones(2, 3, side, side)
    sheet = draw_sheet([("one", white), ("two", black)], ["a", "b"])
    empty = draw_sheet([("one", white[:0]), ("two", black[:0])], [])
    assert sheet.width - empty.width == 2 * (shown + 6)
    assert sheet.getpixel((sheet.width - 7, sheet.height - 7)) == (0, 0, 0)
    assert sheet.getpixel((sheet.width - 7, sheet.height - 7 - shown - 6)) == (255, 255, 255)


def test_a_sheet_is_labelled() -> None:
    images = torch.ones(1, 3, 64, 64)
    named, blank = (draw_sheet([(label, images)], ["seed"]) for label in ("before", ""))
    assert named.size == blank.size and named.tobytes() != blank.tobytes()


@pytest.mark.parametrize("label", ["seed 10003", "a very long name of a file.jpg"])
def test_labels_of_columns_keep_to_their_columns(label: str) -> None:
    images = torch.ones(2, 3, 16, 24)
    sheet = draw_sheet([("", images)], [label, label])
    paper, header = sheet.getpixel((0, 0)), range(sheet.height - 38)
    left = sheet.width - 2 * (2 * 24 + 6)
    columns = [range(left + start - 1, left + start + 49) for start in (0, 54)]  # and soft edges
    marked = {x for x in range(sheet.width) for y in header if sheet.getpixel((x, y)) != paper}
    assert all(marked & set(column) for column in columns)
    assert marked <= {x for column in columns for x in column}


def test_a_header_is_as_high_as_its_labels() -> None:
    images = torch.ones(2, 3, 64, 64)
    low = draw_sheet([("", images)], ["seed 1", "seed 2"])
    high = draw_sheet([("", images)], ["seed 10000, style 10000", "seed 10001, style 10001"])
    assert low.height == 8 + 24 + 3 + 128 + 6 and high.height == 8 + 48 + 3 + 128 + 6


def black(count: int, width: int, height: int) -> list[Image.Image]:
    return [Image.new("RGB", (width, height)) for _ in range(count)]


def test_every_cell_has_its_label_above_it() -> None:
    sheet = draw_cells(black(5, 200, 210), [f"seed {seed}" for seed in range(5)], columns=2)
    band = 8 + 24 + 3
    blank = [(200 * band, PAPER)]
    assert sheet.size == (2 * 206 - 6, 3 * (band + 210))
    for index in range(6):
        left, top = index % 2 * 206, index // 2 * (band + 210)
        header = sheet.crop((left, top, left + 200, top + band))
        cell = sheet.crop((left, top + band, left + 200, top + band + 210))
        assert len(header.getcolors() or []) > 1 if index < 5 else header.getcolors() == blank
        assert cell.getcolors() == [(200 * 210, BLACK if index < 5 else PAPER)]


def test_labels_of_cells_are_their_own() -> None:
    one, other = (draw_cells(black(1, 200, 200), [name], 1) for name in ("seed 1", "seed 7"))
    assert one.size == other.size and one.tobytes() != other.tobytes()


def test_small_images_are_enlarged_and_a_label_has_room() -> None:
    tiny = draw_cells(black(2, 8, 8), ["seed 10000", "seed 10001"], columns=2)
    assert tiny.width == 2 * (64 + 6) - 6
    bottom = [tiny.getpixel((x, tiny.height - 1)) for x in range(64)]
    assert bottom == [PAPER] * 24 + [BLACK] * 16 + [PAPER] * 24


def test_cells_are_as_large_as_the_largest_image() -> None:
    sheet = draw_cells(black(1, 300, 200) + black(1, 200, 240), ["a.jpg", "b.jpg"], columns=9)
    assert sheet.size == (2 * 306 - 6, 35 + 240)
    assert sheet.getpixel((306 + 49, 100)) == PAPER and sheet.getpixel((306 + 50, 100)) == BLACK


def test_a_sheet_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    sheet = draw_cells(black(1, 200, 200), ["seed 1"], 1)
    save_sheet(tmp_path / "sheet.png", sheet)
    assert Image.open(tmp_path / "sheet.png").tobytes() == sheet.tobytes()
    with pytest.raises(StoreError, match="create the folder first"):
        save_sheet(tmp_path / "none" / "sheet.png", sheet)
    assert [path.name for path in tmp_path.iterdir()] == ["sheet.png"]


def test_cells_are_laid_out_nearly_square() -> None:
    assert [usual_columns(count) for count in (1, 2, 6, 64, 256, 1000)] == [1, 2, 3, 8, 16, 16]

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from experiments.gpu_faces_rewrites import CATS, NOTO, edits_for
from regen.edits.schema import read_edits
from regen.images import save_image


@pytest.fixture
def exemplars(tmp_path: Path) -> Path:
    names = (
        "cats/pixabay_cat_000241",
        "noto/dark_sunglasses_u1f576",
        "noto/red_circle_nose_u1f534",
    )
    for name in names:
        path = tmp_path / f"{name}.png"
        path.parent.mkdir(exist_ok=True)
        save_image(path, torch.zeros(1, 3, 256, 256))
    (tmp_path / "cats" / "pixabay_cat_000241.png").rename(
        tmp_path / "cats" / "pixabay_cat_000241.jpg"
    )
    return tmp_path


@pytest.mark.parametrize("name", [*CATS, *NOTO])
@pytest.mark.parametrize("size", [64, 256])
def test_edits_can_be_read_and_lie_where_the_eyes_are(
    name: str, size: int, exemplars: Path
) -> None:
    path = exemplars / "edits.json"
    path.write_text(json.dumps(edits_for(name, exemplars, size)))
    (edit,) = read_edits(path).edits
    assert len(edit.targets) == 3
    mask = edit.targets[0].region.mask(size, size)  # type: ignore[union-attr]
    rows, columns = mask[0, 0].nonzero(as_tuple=True)
    centre = (columns.float().mean() / size, rows.float().mean() / size)
    assert float(centre[0]) == pytest.approx(0.5, abs=0.02)
    height = {"cat_eyes": 0.40, "sunglasses": 0.41, "red_nose": 0.54}[name]
    assert float(centre[1]) == pytest.approx(height, abs=0.02)

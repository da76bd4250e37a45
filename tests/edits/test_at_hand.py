"""`regen.edits.at_hand`: images, masks and regions in the content of edits."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from regen.edits.at_hand import as_json
from regen.edits.region_json import NamedRegion
from regen.edits.schema import edits_of, read_edits, sample_of
from regen.errors import EditsError
from regen.images.regions import Region

CIRCLE = np.hypot(*np.mgrid[-8:8, -8:8]) < 6
GREEN = np.full((16, 16, 3), (40, 160, 60), np.uint8)


def content(**changes: object) -> dict[str, object]:
    target = {"seed": np.int64(3), "region": CIRCLE}
    edit = {"exemplar": Image.fromarray(GREEN), "region": CIRCLE, "targets": (target,)}
    return {"version": 1, "edits": [edit | changes]}


@pytest.mark.parametrize("region", [CIRCLE, {"mask": CIRCLE}, {"mask": torch.from_numpy(CIRCLE)}])
@pytest.mark.parametrize("exemplar", [GREEN, Image.fromarray(GREEN), GREEN / 255])
def test_edits_are_built_of_what_is_at_hand(exemplar: object, region: object) -> None:
    edit = edits_of(content(exemplar=exemplar, region=region)).edits[0]
    shown = edit.exemplar.load()  # type: ignore[union-attr]
    assert shown[0, :, 0, 0].add(1).mul(127.5).round().tolist() == [40, 160, 60]
    for each in (edit.region, edit.targets[0].region):
        assert isinstance(each, Region)
        assert torch.equal(each.mask(16, 16)[0, 0].bool(), torch.from_numpy(CIRCLE))
    assert edit.targets[0].sample.seed == 3


def test_what_was_built_can_be_saved_and_read(tmp_path: Path) -> None:
    edits = edits_of(content())
    edits.save(tmp_path / "edits.json")
    again = read_edits(tmp_path / "edits.json")
    assert again.to_json() == edits.to_json()


def test_regions_and_paths_are_written_as_a_file_has_them(tmp_path: Path) -> None:
    given = {
        "exemplar": tmp_path / "cat.png",
        "region": Region.box(1, 2, 3, 4),
        "hole": NamedRegion("eyes"),
        "polygon": np.array([[1, 2], [3.5, 4], [5, 6]]),
        "box": torch.tensor([1, 2, 3, 4]),
    }
    assert as_json(given, "edits") == {
        "exemplar": str(tmp_path / "cat.png"),
        "region": {"boxes": [[1, 2, 3, 4]]},
        "hole": {"portraits": "eyes"},
        "polygon": [[1, 2], [3.5, 4], [5, 6]],
        "box": [1, 2, 3, 4],
    }


def test_samples_too_are_described_by_what_is_at_hand() -> None:
    spec = sample_of({"picture": GREEN, "hole": {"mask": CIRCLE, "grow": np.int64(2)}})
    assert spec.picture is not None and spec.picture.source.startswith("data:image/png")
    assert isinstance(spec.hole, Region) and spec.grow == (2,)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"exemplar": GREEN * 2.0}, r"edits: edits\[0\].exemplar: image: array of float64: got "),
        (
            {"region": {"mask": GREEN}},
            r"edits: edits\[0\].region.mask: mask: got shape \[16, 16, 3",
        ),
        ({"region": torch.zeros(2, 8, 8)}, r"edits: edits\[0\].region: mask: got shape \[2, 8, 8"),
        ({"feather": Image.new("L", (2, 2))}, r"edits\[0\]: unknown key 'feather'"),
        ({"exemplar": object()}, r"edits\[0\].exemplar: got \"<object object at"),
    ],
)
def test_messages_say_where_something_is_wrong(changes: dict[str, object], message: str) -> None:
    with pytest.raises(EditsError, match=message):
        edits_of(content(**changes))


@pytest.mark.parametrize("key", [3, ("a",), None])
def test_keys_must_be_text(key: object) -> None:
    message = rf"edits: key of edits\[0\]: got {re.escape(repr(key))}, expected text"
    with pytest.raises(EditsError, match=message):
        edits_of({"version": 1, "edits": [{key: 1}]})
    with pytest.raises(EditsError, match="sample: key of its content: got 3, expected text"):
        sample_of({3: 3})


def test_values_that_hold_themselves_are_refused() -> None:
    endless: list[object] = []
    endless.append(endless)
    with pytest.raises(EditsError, match="edits: got values that are nested too deeply"):
        edits_of({"version": 1, "edits": endless})

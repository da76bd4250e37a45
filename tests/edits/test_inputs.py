"""`regen.edits.inputs`: holes with margins, and where samples are taken from."""

from pathlib import Path

import pytest

from regen.edits.inputs import Hole, HoleField, Samples, SamplesField, each_hole
from regen.edits.region_json import NamedRegion
from regen.edits.validation import validated
from regen.errors import EditsError
from regen.images.regions import Region


def read(kind, value, folder=Path(".")):
    return validated(kind, value, file="e.json", folder=folder)


@pytest.mark.parametrize(
    ("written", "hole"),
    [
        ({"portraits": "nose"}, Hole(NamedRegion("nose"))),
        ({"portraits": "nose", "grow": 3}, Hole(NamedRegion("nose"), (3,))),
        ({"boxes": [[1, 2, 3, 4]], "grow": [0, 2]}, Hole(Region.box(1, 2, 3, 4), (0, 2))),
    ],
)
def test_holes_and_back(written, hole):
    assert read(HoleField, written) == hole
    assert hole.to_json(embed=False) == written


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ({"grow": 3}, "e.json: got {}, expected exactly one of box, boxes, polygon"),
        ({"box": [0, 0, 1, 1], "portraits": "eyes", "grow": 1}, "e.json: got "),
        ({"portraits": "nose", "grow": -1}, "e.json: grow: got -1, expected a number of pixels"),
        ({"portraits": "nose", "grow": 65}, "e.json: grow: got 65, expected a number of pixels"),
        ({"portraits": "nose", "grow": []}, "e.json: grow: got [], expected a number of pixels"),
        ({"portraits": "nose", "grow": True}, "e.json: grow: got true, expected a number"),
        ({"portraits": "nose", "Grow": 1}, "e.json: unknown key 'Grow'; did you mean 'grow'?"),
    ],
)
def test_holes_that_are_refused(written, message):
    with pytest.raises(EditsError) as error:
        read(HoleField, written)
    assert str(error.value).startswith(message)


def test_where_samples_are_taken_from(tmp_path):
    (tmp_path / "dogs").mkdir()
    folder = str(tmp_path / "dogs")
    samples = read(SamplesField, {"pictures": "dogs", "holes": "dogs"}, tmp_path)
    assert samples == Samples(folder, folder)
    assert samples.inputs() == {"holes": Path(folder)}
    assert read(SamplesField, samples.to_json(embed=True)) == samples
    assert read(SamplesField, {"holes": "random"}).inputs() == {"holes": "random"}
    one = read(SamplesField, {"holes": {"portraits": "eyes", "grow": 2}})
    assert one.inputs() == {"holes": NamedRegion("eyes"), "grow": 2}
    assert one.to_json(embed=False) == {"holes": {"portraits": "eyes", "grow": 2}}
    assert read(SamplesField, {"styles": "random"}).inputs() == {"styles": "random"}


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ({"pictures": "cats"}, "pictures: cats is not a folder; paths are relative to the edits"),
        ({"holes": "cats"}, "holes: cats is not a folder"),
        (
            {"holes": "http://a.b/c"},
            'holes: got the address "http://a.b/c", expected a folder; download it, and give',
        ),
        ({"holes": 3}, 'holes: got 3, expected "random", a folder of masks, or a hole'),
        ({"styles": 3}, 'styles: got 3, expected "random"'),
        ({"masks": "cats"}, "unknown key 'masks'; known are pictures, holes, styles"),
    ],
)
def test_samples_that_are_refused(written, message):
    with pytest.raises(EditsError) as error:
        read(SamplesField, written)
    assert str(error.value).startswith(f"e.json: {message}")


def test_a_request_for_each_margin():
    assert each_hole({"seed": 3}, (0, 2)) == [{"seed": 3}, {"seed": 3, "grow": 2}]

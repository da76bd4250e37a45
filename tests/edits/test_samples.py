"""`regen.edits.samples`: which sample a target is."""

import pytest
import torch

from regen.edits.exemplars import Image
from regen.edits.region_json import NamedRegion
from regen.edits.samples import SampleSpec, Style
from regen.errors import EditsError
from regen.images import save_image
from regen.images.regions import Region

PICTURE = Image("/dog.jpg")


@pytest.mark.parametrize(
    ("sample", "written"),
    [
        (SampleSpec(3), {"seed": 3}),
        (SampleSpec(0, 0.0), {"seed": 0, "truncation": 0.0}),
        (SampleSpec(picture=PICTURE), {"picture": "/dog.jpg"}),
        (
            SampleSpec(5, picture=PICTURE, style=Style(7)),
            {"seed": 5, "picture": "/dog.jpg", "style": {"seed": 7}},
        ),
        (
            SampleSpec(5, style=Style(picture=PICTURE)),
            {"seed": 5, "style": {"picture": "/dog.jpg"}},
        ),
        (
            SampleSpec(picture=PICTURE, hole=Region.box(1, 2, 3, 4)),
            {"picture": "/dog.jpg", "hole": {"boxes": [[1, 2, 3, 4]]}},
        ),
        (
            SampleSpec(3, hole=NamedRegion("nose")),
            {"seed": 3, "hole": {"portraits": "nose"}},
        ),
    ],
)
def test_only_what_is_said_is_written(sample, written):
    assert sample.to_json(embed=False) == written


def test_a_picture_is_embedded(tmp_path):
    save_image(tmp_path / "dog.png", torch.zeros(1, 3, 4, 6))
    written = SampleSpec(picture=Image(str(tmp_path / "dog.png"))).to_json(embed=True)
    assert written["picture"].startswith("data:image/png;base64,")


def test_a_sample_is_a_seed_or_a_picture():
    with pytest.raises(EditsError) as caught:
        SampleSpec(truncation=0.5)
    assert str(caught.value) == (
        "key 'seed' is missing; give a seed, or a 'picture' for a generator that translates or "
        "inpaints"
    )
    with pytest.raises(EditsError) as caught:
        SampleSpec(3, picture=PICTURE)
    assert str(caught.value) == (
        "both 'seed' and 'picture' are given: expected one of them; a 'picture' takes a seed only "
        "together with a style or a hole"
    )


def test_a_style_is_a_seed_or_a_picture():
    assert SampleSpec(5, style=Style(0)).request() == {"seed": 5, "style": 0}
    by_picture = SampleSpec(5, style=Style(picture=PICTURE))
    assert by_picture.request() == {"seed": 5, "style": "/dog.jpg"}
    for given in ({}, {"seed": 3, "picture": PICTURE}):
        with pytest.raises(EditsError, match="expected either a 'seed' or a 'picture'"):
            Style(**given)

"""`regen.edits.schema`: the edits file as a whole."""

from pathlib import Path

import pytest
import torch

import regen.edits
from regen.edits.schema import (
    Edit,
    Edits,
    Image,
    NamedRegion,
    Pattern,
    SampleSpec,
    Target,
    Weights,
    edits_of,
    read_edits,
    sample_of,
)
from regen.errors import EditsError
from regen.images.regions import Region
from tests.helpers.edits_files import FULL, LEAST, changed, read


def test_everything_is_read(folder):
    edits = read(folder, FULL)
    assert edits.generator == "portraits"
    assert edits.projector == str(folder / "p.safetensors")
    assert (edits.value_layer, edits.memory_layers) == (8, 2)
    assert edits.weights == Weights(20.0, 0.5)
    assert (edits.align, edits.scale, edits.feather) == ("feature", "stretch", 1.5)
    assert (edits.shape, edits.blend) == ("target", "gain")
    assert edits.oracle == edits.oracle_pattern == "cat_eyes"
    first, second = edits.edits
    assert first == Edit(
        Image(str(folder / "cat.png")),
        Region.polygon([[40, 52], [58, 48], [60, 63]]),
        (
            Target(SampleSpec(3, 0.7), Region.box(34, 50, 58, 64)),
            Target(SampleSpec(4), NamedRegion("eyes")),
        ),
    )
    assert second.exemplar == Pattern("gear", 7)
    assert second.region == NamedRegion("eyes")
    torch.testing.assert_close(second.targets[0].region.mask(8, 8), torch.eye(8)[None, None])


def test_what_is_not_said_is_none(folder):
    edits = read(folder, LEAST)
    region = Region.box(34, 50, 58, 64)
    image = Image(str(folder / "cat.png"))
    assert edits == Edits((Edit(image, region, (Target(SampleSpec(3), region),)),))
    assert edits.generator == "portraits"
    said = ("projector", "value_layer", "memory_layers", "align", "scale", "shape", "feather")
    said += ("blend", "oracle")
    assert [getattr(edits, name) for name in said] == [None] * len(said)
    assert (edits.weights.new, edits.weights.old) == (None, None)
    assert edits.edits[0].targets[0].sample.truncation is None
    assert read(folder, {**LEAST, **dict.fromkeys(said), "weights": None}) == edits


def test_a_generator_is_not_known_by_name(folder):
    """Whether it has named regions and an oracle is for those to say who open it."""
    edits = read(folder, changed(("generator",), "church"))
    assert (edits.generator, edits.oracle) == ("church", "cat_eyes")
    sources = [path.read_text() for path in Path(regen.edits.__file__).parent.glob("*.py")]
    assert len(sources) > 5
    assert not any("regen.portraits" in text or "regen.generators" in text for text in sources)


def test_a_generator_is_a_name_or_a_file_beside_the_edits(folder):
    (folder / "g.safetensors").write_bytes(b"")
    content = changed(("generator",), "g.safetensors", LEAST)
    assert read(folder, content).generator == str(folder / "g.safetensors")
    assert read(folder, changed(("generator",), "church", LEAST)).generator == "church"


def test_a_newer_version_is_refused_before_its_new_keys(folder):
    with pytest.raises(EditsError, match="version: got 2, expected 1; update regen"):
        read(folder, {"version": 2, "layers": [1, 2]})


def test_what_is_not_an_edits_file_is_refused(folder):
    with pytest.raises(EditsError, match="none.json does not exist; check the path"):
        read_edits(folder / "none.json")
    (folder / "e.json").write_text('{"version": 1,\n "edits": [}')
    with pytest.raises(EditsError, match="e.json is not valid JSON: .* at line 2, column 12"):
        read_edits(folder / "e.json")
    with pytest.raises(EditsError, match=r"e.json: got \[1\], expected an object"):
        read(folder, [1])
    (folder / "e.json").write_text('{"version": 1, "version": 1, "edits": []}')
    with pytest.raises(EditsError, match="e.json: key 'version' is written twice; remove one"):
        read_edits(folder / "e.json")


def test_content_that_is_at_hand_is_checked_as_a_file_is(folder):
    assert edits_of(LEAST, folder=folder) == read(folder, LEAST)
    with pytest.raises(EditsError, match="page: version: got 2, expected 1"):
        edits_of({"version": 2}, file="page")
    with pytest.raises(EditsError, match="edits: edits.0.: unknown key 'sample'"):
        edits_of(changed(("edits", 0, "sample"), 1, LEAST), folder=folder)


def test_a_sample_is_described_without_a_region(folder):
    spec = sample_of({"seed": 3, "style": {"seed": 7}})
    assert spec.request() == {"seed": 3, "style": 7}
    holed = sample_of({"seed": 3, "hole": {"portraits": "nose", "grow": [2, 4]}})
    assert holed.request() == {"seed": 3, "hole": NamedRegion("nose"), "grow": 2}
    with pytest.raises(EditsError, match="sample: key 'seed' is missing"):
        sample_of({})
    with pytest.raises(EditsError, match="sample: unknown key 'region'"):
        sample_of({"seed": 3, "region": {"box": [0, 0, 1, 1]}})

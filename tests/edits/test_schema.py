"""`regen.edits.schema`: the edits file as a whole."""

import copy
import json
import re
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import regen.edits
from regen.edits.schema import (
    Edit,
    Edits,
    Image,
    NamedRegion,
    PasteOracle,
    Pattern,
    SampleSpec,
    Style,
    Target,
    Weights,
    read_edits,
)
from regen.errors import EditsError
from regen.files.atomic import write_json
from regen.images import mask_to_png, save_image
from regen.images.regions import Region

BOX = {"box": [34, 50, 58, 64]}
FULL = {
    "$schema": "../docs/edits.schema.json",
    "version": 1,
    "generator": "portraits",
    "projector": "p.safetensors",
    "value_layer": 8,
    "memory_layers": 2,
    "weights": {"new": 20, "old": 0.5},
    "align": "feature",
    "scale": "stretch",
    "feather": 1.5,
    "oracle": "cat_eyes",
    "edits": [
        {
            "exemplar": "cat.png",
            "region": {"polygon": [[40, 52], [58, 48], [60, 63]]},
            "targets": [
                {"seed": 3, "truncation": 0.7, "region": BOX},
                {"seed": 4, "region": {"portraits": "eyes"}},
            ],
        },
        {
            "exemplar": {"pattern": "gear", "seed": 7},
            "region": {"portraits": "eyes"},
            "targets": [{"seed": 0, "region": {"mask": "m.png"}}],
        },
    ],
}
LEAST = {
    "version": 1,
    "edits": [{"exemplar": "cat.png", "region": BOX, "targets": [{"seed": 3, "region": BOX}]}],
}


@pytest.fixture
def folder(tmp_path):
    save_image(tmp_path / "cat.png", torch.zeros(1, 3, 80, 90))
    (tmp_path / "p.safetensors").write_bytes(b"")
    (tmp_path / "m.png").write_bytes(mask_to_png(torch.eye(8)[None, None]))
    return tmp_path


def read(folder, content):
    write_json(folder / "e.json", content)
    return read_edits(folder / "e.json")


def changed(path, value, content=FULL):
    """The content with one value replaced or added, or removed when it is None."""
    content = copy.deepcopy(content)
    *parents, last = path
    inner = content
    for key in parents:
        inner = inner[key]
    if value is None:
        del inner[last]
    else:
        inner[last] = value
    return content


def test_everything_is_read(folder):
    edits = read(folder, FULL)
    assert edits.generator == "portraits"
    assert edits.projector == str(folder / "p.safetensors")
    assert (edits.value_layer, edits.memory_layers) == (8, 2)
    assert edits.weights == Weights(20.0, 0.5)
    assert (edits.align, edits.scale, edits.feather) == ("feature", "stretch", 1.5)
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
    said = ("projector", "value_layer", "memory_layers", "align", "scale", "feather", "oracle")
    assert [getattr(edits, name) for name in said] == [None] * len(said)
    assert (edits.weights.new, edits.weights.old) == (None, None)
    assert edits.edits[0].targets[0].sample.truncation is None
    assert read(folder, {**LEAST, **dict.fromkeys(said), "weights": None}) == edits


def test_one_weight_leaves_the_other_unsaid(folder):
    assert read(folder, {**LEAST, "weights": {"old": 0}}).weights == Weights(None, 0.0)


def test_only_what_is_said_is_written(folder):
    content = read(folder, LEAST).to_json()
    assert list(content) == ["version", "generator", "edits"]
    assert content["edits"][0]["targets"] == [{"seed": 3, "region": {"boxes": [BOX["box"]]}}]
    assert read(folder, {**LEAST, "weights": {"old": 2}}).to_json()["weights"] == {"old": 2}


def test_a_target_may_be_a_picture(folder, tmp_path_factory):
    dog = {"picture": "cat.png", "region": BOX, "style": {"seed": 7}}
    me = {"picture": "cat.png", "region": BOX, "hole": {"box": [30, 40, 60, 70]}, "seed": 5}
    edits = read(folder, changed(("edits", 0, "targets"), [dog, me], LEAST))
    picture = Image(str(folder / "cat.png"))
    first, second = (target.sample for target in edits.edits[0].targets)
    assert first == SampleSpec(picture=picture, style=Style(7))
    assert second == SampleSpec(5, picture=picture, hole=Region.box(30, 40, 60, 70))
    content = json.loads(json.dumps(edits.to_json(embed=True)))
    (folder / "cat.png").unlink()
    again = read(tmp_path_factory.mktemp("elsewhere"), content)
    assert again.edits[0].targets[1].sample.picture.load().shape == (1, 3, 80, 90)
    assert again.to_json(embed=True) == content


def test_the_oracle_may_be_the_pattern_pasted(folder):
    edits = read(folder, {**LEAST, "oracle": {"paste": True}})
    assert (edits.oracle, edits.oracle_pattern) == (PasteOracle(), None)
    assert edits.to_json()["oracle"] == {"paste": True}


def test_a_generator_is_not_known_by_name(folder):
    """Whether it has named regions and an oracle is for those to say who open it."""
    edits = read(folder, changed(("generator",), "church"))
    assert (edits.generator, edits.oracle) == ("church", "cat_eyes")
    sources = [path.read_text() for path in Path(regen.edits.__file__).parent.glob("*.py")]
    assert len(sources) > 5
    assert not any("regen.portraits" in text or "regen.generators" in text for text in sources)


@pytest.mark.parametrize("embed", [False, True])
def test_what_is_written_is_read_back_elsewhere(folder, tmp_path_factory, embed):
    edits = read(folder, FULL)
    content = json.loads(json.dumps(edits.to_json(embed=embed)))
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    again = read(elsewhere, content)
    assert again.to_json(embed=True) == edits.to_json(embed=True)
    assert again.edits[0].targets == edits.edits[0].targets
    assert (again.edits[0] == edits.edits[0]) is not embed  # the source has become a data URI


def test_an_embedded_file_needs_no_images(folder, tmp_path_factory):
    content = read(folder, LEAST).to_json(embed=True)
    (folder / "cat.png").unlink()
    again = read(tmp_path_factory.mktemp("elsewhere"), content)
    assert again.edits[0].exemplar.load().shape == (1, 3, 80, 90)


def test_a_generator_is_a_name_or_a_file_beside_the_edits(folder):
    (folder / "g.safetensors").write_bytes(b"")
    content = changed(("generator",), "g.safetensors", LEAST)
    assert read(folder, content).generator == str(folder / "g.safetensors")
    assert read(folder, changed(("generator",), "church", LEAST)).generator == "church"


TARGET = ("edits", 0, "targets", 1)


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        (("version",), None, "key 'version' is missing"),
        (("version",), 2, "version: got 2, expected 1; update regen"),
        (("version",), "1", 'version: got "1", expected 1'),
        (("version",), True, "version: got true, expected 1"),
        (("edits",), None, "key 'edits' is missing"),
        (("edits",), [], "edits: got [], expected a list of at least one edit"),
        (("edits",), {}, "edits: got {}, expected a list of at least one edit"),
        (
            ("settings",),
            {},
            "unknown key 'settings'; known are version, edits, generator, projector",
        ),
        (("value_layers",), 3, "unknown key 'value_layers'; did you mean 'value_layer'?"),
        (("value_layer",), 0, "value_layer: got 0, expected an integer from 1"),
        (("value_layer",), True, "value_layer: got true, expected an integer from 1"),
        (("memory_layers",), 2.0, "memory_layers: got 2.0, expected an integer from 1"),
        (("memory_layers",), 9, "memory_layers: got 9, expected at most the value_layer, 8"),
        (
            ("projector",),
            "no.safetensors",
            "projector: {folder}/no.safetensors does not exist; paths",
        ),
        (
            ("generator",),
            "a/b.pkl",
            "generator: {folder}/a/b.pkl does not exist; paths are relative",
        ),
        (("generator",), 3, "generator: got 3, expected a name or a path"),
        (("weights", "new"), 0, "weights.new: got 0, expected a number above 0"),
        (("weights", "old"), -1, "weights.old: got -1, expected a number from 0"),
        (("weights", "odl"), 1, "weights: unknown key 'odl'; did you mean 'old'?"),
        (("weights",), 10, "weights: got 10, expected an object {...}"),
        (
            ("align",),
            "images",
            "align: got \"images\", expected 'image' or 'feature'; did you mean",
        ),
        (("feather",), -1, "feather: got -1, expected a number from 0"),
        (("oracle",), 3, 'oracle: got 3, expected the name of a pattern, or {"paste": true}'),
        (("oracle",), "", 'oracle: got "", expected the name of a pattern'),
        (("oracle",), {"past": True}, "oracle: unknown key 'past'; did you mean 'paste'?"),
        (("oracle",), {"paste": False}, "oracle.paste: got false, expected true"),
        (("scale",), "cover", "scale: got \"cover\", expected 'uniform' or 'stretch'"),
        (("$schema",), 3, "$schema: got 3, expected text"),
        (("edits", 0), 3, "edits[0]: got 3, expected an object {...}"),
        (("edits", 0, "region"), None, "edits[0]: key 'region' is missing"),
        (("edits", 0, "target"), [], "edits[0]: unknown key 'target'; did you mean 'targets'?"),
        (
            ("edits", 0, "fit"),
            "cover",
            "edits[0]: unknown key 'fit'; known are exemplar, region, targ",
        ),
        (
            ("edits", 0, "targets"),
            [],
            "edits[0].targets: got [], expected a list of at least one targ",
        ),
        (("edits", 0, "exemplar"), "dog.png", "edits[0].exemplar: {folder}/dog.png does not exist"),
        (
            ("edits", 0, "region"),
            {"portraits": "eyes"},
            "edits[0].region: only an exemplar that is a "
            "pattern has named regions; give a box or a polygon",
        ),
        ((*TARGET, "seed"), "4", 'edits[0].targets[1].seed: got "4", expected an integer from 0'),
        ((*TARGET, "seed"), 1.0, "edits[0].targets[1].seed: got 1.0, expected an integer from 0"),
        ((*TARGET, "seed"), -1, "edits[0].targets[1].seed: got -1, expected an integer from 0"),
        (
            (*TARGET, "seed"),
            None,
            "edits[0].targets[1]: key 'seed' is missing; give a seed, or a 'picture' for a",
        ),
        (
            (*TARGET, "picture"),
            "cat.png",
            "edits[0].targets[1]: both 'seed' and 'picture' are given: expected one of them",
        ),
        (
            (*TARGET, "picture"),
            "dog.png",
            "edits[0].targets[1].picture: {folder}/dog.png does not exist; paths are relative to",
        ),
        ((*TARGET, "style"), {}, "edits[0].targets[1].style: key 'seed' is missing"),
        (
            (*TARGET, "hole"),
            {"box": [1, 2, 3]},
            "edits[0].targets[1].hole.box: got [1, 2, 3], expected [x0, y0, x1, y1]",
        ),
        (
            (*TARGET, "truncation"),
            -0.1,
            "edits[0].targets[1].truncation: got -0.1, expected a number",
        ),
        (
            (*TARGET, "trunc"),
            1,
            "edits[0].targets[1]: unknown key 'trunc'; did you mean 'truncation'?",
        ),
        (
            (*TARGET, "region", "bx"),
            1,
            "edits[0].targets[1].region: unknown key 'bx'; did you mean",
        ),
        (
            (*TARGET, "region"),
            {"box": [3, 3, 3, 9]},
            "edits[0].targets[1].region.box: box has zero area: got [3, 3, 3, 9]",
        ),
        (
            (*TARGET, "region"),
            {"box": [9, 3, 3, 9]},
            "edits[0].targets[1].region.box: got [9, 3, 3, 9]"
            ", expected [x0, y0, x1, y1] with x0 < x1 and y0 < y1",
        ),
    ],
)
def test_what_breaks_the_schema_is_refused(folder, path, value, problem):
    wanted = problem.replace("{folder}", str(folder))
    with pytest.raises(EditsError) as caught:
        read(folder, changed(path, value))
    assert str(caught.value).startswith(f"{folder / 'e.json'}: {wanted}")


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


NASTY = [
    None,
    True,
    False,
    0,
    -1,
    1.5,
    1e308,
    -1e308,
    2**63,
    10**400,
    "",
    "x",
    "a\ud800",
    "\x1b[1m",
]
NASTY += [
    [],
    [[]],
    {},
    {"a": 1},
    [1, 2, 3, 4],
    ["x"] * 4,
    {"box": [1, 2, 3, 4]},
    "data:,",
    "skimage:",
    "x" * 5000,
    "a/" * 5000,
    "/proc/self/mem",
    "/dev/zero",
    "\0",
    "iVBORw0KGgo",
    "data:image/png;base64," + "A" * 5000,
    {"mask": "/proc/self/mem"},
    {"polygon": [[0, 0], [1e308, 0], [0, 1e308]]},
    {"boxes": [[0, 0, 1, 1]] * 65},
    {"k" * 5000: 1},
    [{}] * 101,
]
PYDANTIC = re.compile(r"[Ii]nput should|[Ff]ield required|validation error|[Uu]nable to|tag|valid ")


def places(value, path=()):
    """Paths of everything in the content, the top left out."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in pairs if isinstance(value, (dict, list)) else ():
        yield (*path, key)
        if isinstance(inner, (dict, list)):
            yield from places(inner, (*path, key))


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    path=st.sampled_from(list(places(FULL))),
    value=st.sampled_from(NASTY),
    key=st.sampled_from(["", "box", "seed", "picture", "style", "hole", "paste", "$schema"]),
    add=st.booleans(),
)
def test_whatever_is_written_the_message_is_of_regen(folder, path, value, key, add):
    content = copy.deepcopy(FULL)
    inner = content
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    if add and isinstance(inner, dict):
        inner[key] = value
    (folder / "e.json").write_text(json.dumps(content))
    try:
        read_edits(folder / "e.json")
    except EditsError as error:
        message = str(error)
        assert message.startswith(f"{folder / 'e.json'}") and message.isprintable()
        assert len(message) < 1000
        assert not PYDANTIC.search(message.removeprefix(str(folder)).replace("did you mean", ""))

"""The keys of an edits file: what each may hold, and what is said of what it may not."""

from __future__ import annotations

import copy
import json
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regen.edits.schema import Image, SampleSpec, Style, read_edits
from regen.errors import EditsError
from regen.images.regions import Region
from tests.helpers.edits_files import BOX, FULL, LEAST, changed, read


def test_a_target_may_be_a_picture(folder, tmp_path_factory):
    dog = {"picture": "cat.png", "region": BOX, "style": {"seed": 7}}
    like_a_cat = {"picture": "cat.png", "region": BOX, "style": {"picture": "cat.png"}}
    me = {"picture": "cat.png", "region": BOX, "hole": {"box": [30, 40, 60, 70]}, "seed": 5}
    edits = read(folder, changed(("edits", 0, "targets"), [dog, me, like_a_cat], LEAST))
    picture = Image(str(folder / "cat.png"))
    first, second, third = (target.sample for target in edits.edits[0].targets)
    assert third == SampleSpec(picture=picture, style=Style(picture=picture))
    assert third.request()["style"] == third.request()["picture"] == picture.location
    assert first == SampleSpec(picture=picture, style=Style(7))
    assert second == SampleSpec(5, picture=picture, hole=Region.box(30, 40, 60, 70))
    content = json.loads(json.dumps(edits.to_json(embed=True)))
    (folder / "cat.png").unlink()
    again = read(tmp_path_factory.mktemp("elsewhere"), content)
    assert again.edits[0].targets[1].sample.picture.load().shape == (1, 3, 80, 90)
    assert again.to_json(embed=True) == content


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
        (("weights", "new"), 0, "weights.new: got 0, expected a number from 1e-06 to 1e+06"),
        (("weights", "new"), 1e-300, "weights.new: got 1e-300, expected a number from 1e-06"),
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
        (
            ("shape",),
            "round",
            "shape: got \"round\", expected 'auto' or 'exemplar' or 'target'",
        ),
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
        (
            (*TARGET, "style"),
            {},
            "edits[0].targets[1].style: got neither, expected either a 'seed'",
        ),
        (
            (*TARGET, "style"),
            {"seed": 1, "picture": "cat.png"},
            "edits[0].targets[1].style: got both, expected either a 'seed' or a 'picture'",
        ),
        (
            (*TARGET, "style"),
            {"picture": "dog.png"},
            "edits[0].targets[1].style.picture: {folder}/dog.png does not exist; paths are relati",
        ),
        ((*TARGET, "style"), {"sead": 1}, "edits[0].targets[1].style: unknown key 'sead'; did you"),
        ((*TARGET, "style"), 7, "edits[0].targets[1].style: got 7, expected an object"),
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

"""What messages do to a document."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from regen.editor.commands import CHANGES, merging, with_masks, with_picture
from regen.editor.document import Document, Rule
from regen.editor.messages import MessageError
from regen.editor.painting import Exemplar, Painting, Picture, Target

DAB = {"tool": "brush", "mode": "add", "points": [[3, 3]], "radius": 2}
PAINTING = Painting(
    "p", Picture("skimage:chelsea", "cat", 30, 45), targets=(Target("t", {"seed": 3}, "seed 3"),)
)
RULES = tuple(Rule(key, f"Rule {key}", replace(PAINTING, key=f"of {key}")) for key in "abc")
DOCUMENT = Document(PAINTING, RULES)


def do(what: str, document: Document = DOCUMENT, **message: Any) -> Document:
    return CHANGES[what](document, {"do": what, **message})


def test_targets_come_and_go() -> None:
    more = do("target.add", sample={"seed": 4}, label="seed 4")
    assert [target.label for target in more.painting.targets] == ["seed 3", "seed 4"]
    keys = {target.key for target in more.painting.targets}
    assert len(keys) == 2
    assert do("target.remove", more, target="t").painting.targets == more.painting.targets[1:]
    more = do("target.add", more, sample={"seed": 5}, label="seed 5")
    with pytest.raises(MessageError, match="targets: got 4, expected at most 3; remove one"):
        do("target.add", more, sample={"seed": 6}, label="seed 6")
    with pytest.raises(MessageError, match="expected one that is no target yet"):
        do("target.add", sample={"seed": 3}, label="seed 3")


def test_strokes_are_added_and_replaced() -> None:
    once = do("stroke", on="t", stroke=DAB)
    twice = do("stroke", once, on="exemplar", stroke=DAB)
    assert len(twice.painting.strokes) == len(twice.painting.target("t").strokes) == 1
    assert do("strokes", twice, on="t", strokes=[]).painting.target("t").strokes == ()
    for message in ({"on": "x", "stroke": DAB}, {"on": "t", "stroke": 1}, {"on": "t"}):
        with pytest.raises(MessageError):
            do("stroke", **message)
    with pytest.raises(MessageError, match="strokes: expected a list of at most 500"):
        do("strokes", on="t", strokes=[DAB] * 501)
    many = do("strokes", on="t", strokes=[DAB] * 500)
    with pytest.raises(MessageError, match="strokes: got 501"):
        do("stroke", many, on="t", stroke=DAB)


def test_a_target_may_share_the_exemplar_of_the_others() -> None:
    own = Exemplar(Picture("dog.png", "dog", 30, 45))
    targets = tuple(Target(key, {"seed": 3}, key, exemplar=own) for key in "ab")
    document = replace(DOCUMENT, painting=replace(PAINTING, targets=targets))
    painted = do("stroke", document, on="exemplar b", stroke=DAB).painting
    assert [len(target.exemplar.strokes) for target in painted.targets] == [0, 1]
    shared = do("target.share", document, target="b").painting
    assert [target.exemplar for target in shared.targets] == [own, None]
    with pytest.raises(MessageError):
        do("target.share", document, target="c")
    another = with_picture(document, Picture("cat.png", "cat", 30, 45)).painting
    assert [target.exemplar for target in another.targets] == [None, None]
    assert (another.picture.source, another.strokes) == ("cat.png", ())


@pytest.mark.parametrize(("oracle", "left"), [("cat_eyes", None), ({"paste": True},) * 2])
def test_a_named_oracle_is_that_of_its_exemplar(oracle: Any, left: Any) -> None:
    """Its pattern is no longer what is pasted; what is pasted can be measured with any exemplar."""
    options = {"oracle": oracle, "weights": {"new": 20}}
    document = replace(DOCUMENT, painting=replace(PAINTING, options=options))
    another = with_picture(document, Picture("dog.png", "dog", 30, 45)).painting
    assert another.options.get("oracle") == left and another.options["weights"] == {"new": 20}
    painted = do("stroke", document, on="exemplar", stroke=DAB).painting
    assert painted.options == options


def test_masks_take_the_place_of_what_was_painted() -> None:
    changed = with_masks(do("stroke", on="t", stroke=DAB), {"t": "data:image/png;base64,AA"})
    (stroke,) = changed.painting.target("t").strokes
    assert (stroke.tool, stroke.mask) == ("mask", "data:image/png;base64,AA")


def test_alpha_is_taken_where_there_is_some() -> None:
    with pytest.raises(MessageError, match="from alpha"):
        do("alpha")
    picture = replace(PAINTING.picture, alpha="data:image/png;base64,AA")
    document = replace(DOCUMENT, painting=replace(PAINTING, picture=picture))
    (stroke,) = do("alpha", document).painting.strokes
    assert stroke.mask == picture.alpha


@pytest.mark.parametrize(
    ("alpha", "kept"), [("data:image/png;base64,AA", {}), ("", {"shape": "x"})]
)
def test_an_image_that_says_its_outline_is_pasted_with_it(alpha: str, kept: dict[str, str]) -> None:
    document = replace(DOCUMENT, painting=replace(PAINTING, options={"shape": "x", "feather": 2}))
    brought = with_picture(document, Picture("cat.png", "cat", 30, 45, alpha=alpha)).painting
    assert brought.options == {"feather": 2, **kept}
    assert len(brought.strokes) == bool(alpha)


def test_options() -> None:
    document = do("option", do("option", name="scale", value="stretch"), name="feather", value=2)
    assert document.painting.options == {"scale": "stretch", "feather": 2.0}
    for name, value in (("scale", "x"), ("feather", -1), ("generator", "x")):
        with pytest.raises(MessageError):
            do("option", name=name, value=value)


def test_rules_are_changed_moved_and_removed() -> None:
    assert do("rule.strength", rule="b", value=-0.5).rules[1].strength == -0.5
    assert do("rule.on", rule="b", on=False).applied == (("a", 1.0), ("c", 1.0))
    assert do("rule.name", rule="b", name="Eyes").rules[1].name == "Eyes"
    assert [rule.key for rule in do("rule.move", rule="c", to=0).rules] == ["c", "a", "b"]
    assert [rule.key for rule in do("rule.remove", rule="a").rules] == ["b", "c"]
    assert do("rule.edit", rule="b").painting.key == "of b"
    fresh = do("rule.next")
    assert fresh.rules == RULES and fresh.painting.picture is None and not fresh.painting.options
    for name, message in (
        ("rule.strength", {"rule": "b", "value": 1.6}),
        ("rule.move", {"rule": "b", "to": 3}),
        ("rule.remove", {"rule": "x"}),
        ("rule.name", {"rule": "b", "name": ""}),
    ):
        with pytest.raises(MessageError):
            do(name, **message)


def test_the_next_rule_has_the_projector_and_the_samples_of_the_edits_file() -> None:
    of_generator = {"projector": "p", "samples": {"pictures": "in", "styles": "random"}}
    samples = {**of_generator["samples"], "holes": {"portraits": "nose"}}
    options = {**of_generator, "samples": samples, "oracle": "hat", "weights": {"new": 2}}
    document = replace(DOCUMENT, painting=replace(PAINTING, options=options))
    assert do("rule.next", document).painting.options == of_generator


def test_what_is_dragged_is_undone_at_once() -> None:
    assert merging({"do": "rule.strength", "rule": "a", "live": True}) == "strength of a"
    assert merging({"do": "option", "name": "feather", "live": True}) == "option feather"
    assert merging({"do": "rule.strength", "rule": "a"}) == merging({"do": "stroke"}) == ""

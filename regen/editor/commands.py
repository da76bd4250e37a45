"""What a message of the page does to a document; nothing is computed here.

Every function takes the document, the message and the names of things it may make, and returns the
document after it. A message that makes no sense raises a MessageError, and nothing has changed.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace

from regen.editor.document import Document
from regen.editor.messages import Message, MessageError, choice, flag, integer, number, text
from regen.editor.painting import MOST_TARGETS, Painting, Picture, Target
from regen.editor.strokes import MOST_STROKES, Stroke, stroke_of

Change = Callable[[Document, Message], Document]

LARGEST_SEED = 2**32 - 1
LEAST_STRENGTH, MOST_STRENGTH = -1.0, 1.5
MOST_FEATHER = 64.0
MARGIN = 2  # pixels around a part of the face that is hidden
_OPTIONS = {
    "scale": ("uniform", "stretch"),
    "shape": ("auto", "exemplar", "target"),
    "blend": ("none", "gain", "poisson"),
}


def new_key() -> str:
    """A name that nothing else in the session has."""
    return secrets.token_hex(4)


def add_target(document: Document, message: Message) -> Document:
    """Choose a sample that gets the pattern; it may be any that the grid offers."""
    painting, sample = document.painting, message.get("sample")
    if not isinstance(sample, dict) or not sample:
        raise MessageError("sample", got=str(sample)[:40], expected='an object, {"seed": 3}')
    if len(painting.targets) >= MOST_TARGETS:
        raise MessageError(
            "targets",
            got=MOST_TARGETS + 1,
            expected=f"at most {MOST_TARGETS}",
            remedy="remove one first",
        )
    if any(target.sample == sample for target in painting.targets):
        raise MessageError("sample", got=str(sample)[:40], expected="one that is no target yet")
    own_size = message.get("own_size")
    target = Target(new_key(), sample, text(message, "label"), own_size=own_size)
    return replace(document, painting=replace(painting, targets=(*painting.targets, target)))


def remove_target(document: Document, message: Message) -> Document:
    """Leave a target out."""
    painting = document.painting
    gone = painting.target(message.get("target"))
    left = tuple(target for target in painting.targets if target.key != gone.key)
    return replace(document, painting=replace(painting, targets=left))


def share_exemplar(document: Document, message: Message) -> Document:
    """Give a target that has an exemplar of its own that of the others."""
    painting = document.painting
    target = replace(painting.target(message.get("target")), exemplar=None)
    return replace(document, painting=painting.with_target(target))


def set_sample(document: Document, message: Message) -> Document:
    """Give a target another style or hole; a hole that was painted is gone with a named one."""
    painting, sample = document.painting, message.get("sample")
    target = painting.target(message.get("target"))
    if not isinstance(sample, dict) or not sample:
        raise MessageError("sample", got=str(sample)[:40], expected='an object, {"seed": 3}')
    hole = target.hole if message.get("keep_hole") else ()
    changed = replace(target, sample=sample, label=text(message, "label"), hole=hole)
    return replace(document, painting=painting.with_target(changed))


def with_style(sample: Message, message: Message) -> Message:
    """A target's sample in a random style."""
    return {**sample, "style": {"seed": integer(message, "seed", 0, LARGEST_SEED)}}


def with_hole(sample: Message, message: Message) -> Message:
    """A target's sample with a part of the face hidden; none for the random hole of its seed."""
    name = message.get("name")
    kept = {key: value for key, value in sample.items() if key != "hole"}
    return {**kept, "hole": named_hole(text(message, "name"))} if name else kept


def named_hole(name: str) -> Message:
    """A hole in a part of the face, as an edits file has it."""
    return {"portraits": name, "grow": MARGIN}


def add_stroke(document: Document, message: Message) -> Document:
    """Paint on an exemplar, on a target, or on a target's hole."""
    on, painting = text(message, "on"), document.painting
    before, given = painting.strokes_on(on), message.get("stroke")
    if not isinstance(given, dict):
        raise MessageError("stroke", got=str(given)[:40], expected="an object")
    if len(before) >= MOST_STROKES:
        raise MessageError("strokes", got=len(before) + 1, expected=f"at most {MOST_STROKES}")
    after = (*before, stroke_of(given))
    return replace(document, painting=painting.with_strokes(on, after))


def set_strokes(document: Document, message: Message) -> Document:
    """Put other strokes in place of all on an exemplar or target: a suggestion, or none at all."""
    on, given = text(message, "on"), message.get("strokes")
    if not isinstance(given, list) or len(given) > MOST_STROKES:
        raise MessageError("strokes", expected=f"a list of at most {MOST_STROKES}")
    if not all(isinstance(one, dict) for one in given):
        raise MessageError("strokes", expected="a list of objects")
    strokes = tuple(stroke_of(one) for one in given)
    return replace(document, painting=document.painting.with_strokes(on, strokes))


def use_alpha(document: Document, message: Message) -> Document:
    """Take the exemplar's transparency as its region."""
    painting = document.painting
    if painting.picture is None or not painting.picture.alpha:
        raise MessageError("from alpha", got="an image without transparency", expected="one with")
    stroke = Stroke("mask", mask=painting.picture.alpha)
    return replace(document, painting=replace(painting, strokes=(stroke,)))


def with_picture(document: Document, picture: Picture) -> Document:
    """Take an image as the exemplar of all targets.

    Whoever cut the pattern out has said where it is, and what its outline is. A pattern that the
    result was to be measured against, by its name, is that of the exemplar before; the pattern
    pasted into each sample is that of any exemplar.
    """
    strokes = (Stroke("mask", mask=picture.alpha),) if picture.alpha else ()
    old = document.painting
    options = dict(old.options)
    if picture.alpha:
        options.pop("shape", None)
    if isinstance(options.get("oracle"), str):
        del options["oracle"]
    targets = tuple(replace(target, exemplar=None) for target in old.targets)
    painting = replace(old, picture=picture, strokes=strokes, targets=targets, options=options)
    return replace(document, painting=painting)


def with_masks(document: Document, masks: Mapping[str, str]) -> Document:
    """Put masks, by the keys of targets, in place of what was painted on these."""
    painting = document.painting
    for key, mask in masks.items():
        painting = painting.with_strokes(key, (Stroke("mask", mask=mask),))
    return replace(document, painting=painting)


def set_option(document: Document, message: Message) -> Document:
    """Change how the pattern is pasted."""
    name = choice(message, "name", ("scale", "shape", "blend", "feather", "holes"))
    painting = document.painting
    if name == "holes":
        return replace(document, painting=_with_holes(painting, message))
    value: str | float = (
        number(message, "value", 0, MOST_FEATHER)
        if name == "feather"
        else choice(message, "value", _OPTIONS[name])
    )
    options = {**painting.options, name: value}
    return replace(document, painting=replace(painting, options=options))


def _with_holes(painting: Painting, message: Message) -> Painting:
    """What is hidden of the samples that must stay as they are: a part of the face, or random."""
    holes = named_hole(text(message, "value")) if message.get("value") else "random"
    samples = {**painting.options.get("samples", {}), "holes": holes}
    return replace(painting, options={**painting.options, "samples": samples})


def next_rule(document: Document, message: Message) -> Document:
    """Begin another painting; the rules stay, and what an edits file says of the generator."""
    options = document.painting.options
    samples = {key: one for key, one in options.get("samples", {}).items() if key != "holes"}
    kept = {"projector": options.get("projector"), "samples": samples}
    kept = {key: value for key, value in kept.items() if value}
    return replace(document, painting=Painting(new_key(), options=kept))


def set_strength(document: Document, message: Message) -> Document:
    """How strongly a rule is applied."""
    rule = document.rule(message.get("rule"))
    strength = number(message, "value", LEAST_STRENGTH, MOST_STRENGTH)
    return document.with_rule(replace(rule, strength=strength))


def switch_rule(document: Document, message: Message) -> Document:
    """Apply a rule or not."""
    rule = document.rule(message.get("rule"))
    return document.with_rule(replace(rule, on=flag(message, "on")))


def name_rule(document: Document, message: Message) -> Document:
    """Give a rule another name."""
    rule = document.rule(message.get("rule"))
    return document.with_rule(replace(rule, name=text(message, "name")))


def move_rule(document: Document, message: Message) -> Document:
    """Put a rule at another place of the stack."""
    rule = document.rule(message.get("rule"))
    others = [one for one in document.rules if one.key != rule.key]
    place = integer(message, "to", 0, len(others))
    return replace(document, rules=(*others[:place], rule, *others[place:]))


def remove_rule(document: Document, message: Message) -> Document:
    """Take a rule off the stack."""
    rule = document.rule(message.get("rule"))
    return replace(document, rules=tuple(one for one in document.rules if one.key != rule.key))


def edit_rule(document: Document, message: Message) -> Document:
    """Show what a rule was learned from, to change it and learn it again."""
    return replace(document, painting=document.rule(message.get("rule")).painting)


CHANGES: dict[str, Change] = {
    "target.add": add_target,
    "target.remove": remove_target,
    "target.share": share_exemplar,
    "target.style": set_sample,
    "target.hole": set_sample,
    "stroke": add_stroke,
    "strokes": set_strokes,
    "alpha": use_alpha,
    "option": set_option,
    "rule.next": next_rule,
    "rule.strength": set_strength,
    "rule.on": switch_rule,
    "rule.name": name_rule,
    "rule.move": move_rule,
    "rule.remove": remove_rule,
    "rule.edit": edit_rule,
}


def merging(message: Message) -> str:
    """A word for messages that are undone together with the one before, or ""."""
    if message["do"] == "rule.strength" and message.get("live"):
        return f"strength of {message.get('rule')}"
    if message["do"] == "option" and message.get("live"):
        return f"option {message.get('name')}"
    return ""

"""The image of a preview: all rows, and every caution in words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from PIL import Image

from regen.images.labels import FONT_SIZE
from regen.report import preview as module
from regen.report.preview import draw_preview
from regen.rewriting.cautions import Caution
from regen.rewriting.preview import ExemplarPreview, Preview


def shown(cautions: list[Caution]) -> Preview:
    images, maps = torch.rand(2, 3, 32, 32), torch.rand(2, 1, 32, 32)
    exemplar = ExemplarPreview("cat.png", torch.rand(3, 20, 60), torch.ones(1, 20, 60))
    names = ["seed 1", "seed 2"]
    return Preview(
        *(images, images, images, ["seed 3", "seed 4"], images, maps, maps, maps),
        target_labels=names,
        exemplars=[exemplar] * 2,
        cautions=cautions,
    )


def test_the_edits_and_the_unseen_samples_are_below_each_other() -> None:
    image = draw_preview(shown([]))
    more = draw_preview(replace(shown([]), unseen=torch.rand(2, 3, 64, 64)))
    assert image.width == 150 + 2 * (64 + 6)
    assert image.height > (5 + 2) * 64
    assert more.width > image.width


def test_there_is_no_row_of_values_that_are_not_learned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LEARNED_FROM", {"both": "a"})  # one line
    with_values, without = draw_preview(shown([])), draw_preview(replace(shown([]), decoded=None))
    assert with_values.height == without.height + 64 + 6 + FONT_SIZE


@pytest.mark.parametrize(
    ("recall", "words"),
    [
        ("both", "its samples lie between the two"),
        ("image", "the rule is learned from the composite itself, whatever decoded shows"),
        ("value", "its samples look like decoded at best"),
    ],
)
def test_it_is_said_what_the_rule_is_learned_from_where_decoded_could_mislead(
    monkeypatch: pytest.MonkeyPatch, recall: Any, words: str
) -> None:
    written: list[str] = []
    monkeypatch.setattr(
        module,
        "_written",
        lambda sentences, width: written.extend(sentences) or Image.new("RGB", (width, 1)),
    )
    draw_preview(replace(shown([]), recall=recall))
    assert written[0] == "Nothing looks wrong" and words in written[1]
    written.clear()
    draw_preview(replace(shown([]), decoded=None, recall="image"))
    assert written == ["Nothing looks wrong"]


def test_what_the_generator_was_given_stands_above_what_it_made() -> None:
    white = torch.ones(2, 3, 32, 32)
    sheet = draw_preview(replace(shown([]), inputs=white, unseen_inputs=-white))
    assert sheet.height == draw_preview(shown([])).height + 2 * (64 + 6)
    column = [sheet.getpixel((150 + 32, y)) for y in range(sheet.height)]
    assert column.count((255, 255, 255)) >= 64 and column.count((0, 0, 0)) >= 64


def test_a_region_is_outlined_on_the_exemplar() -> None:
    exemplar = ExemplarPreview("a.png", torch.zeros(3, 32, 32), torch.zeros(1, 32, 32))
    exemplar.region[:, 8:16, 8:16] = 1
    drawn = module._outlined_exemplar(exemplar, (32, 32))
    assert drawn[0, 7, 10] == 1 and drawn[0, 6, 10] == -1 and drawn[0, 10, 10] == 0


def test_every_caution_is_written_and_takes_room() -> None:
    long = Caution("spill", "the rule will act elsewhere " * 12)
    with_words, without = draw_preview(shown([long])), draw_preview(shown([]))
    assert with_words.height > without.height + 5 * 20
    assert with_words.width == without.width


def test_lines_are_broken_between_words() -> None:
    from PIL import ImageFont

    font = ImageFont.load_default(16)
    lines = module._lines("one two three four five six seven", font, 80)
    assert len(lines) > 2 and all(font.getlength(line) <= 80 for line in lines)
    assert " ".join(" ".join(lines).split()) == "one two three four five six seven"


def test_a_preview_is_named_without_its_images() -> None:
    caution = Caution("match", "the map covers little")
    assert repr(shown([caution])) == (
        f"<Preview of 2 targets and 2 unseen samples, cautions: [{caution!r}]>"
    )

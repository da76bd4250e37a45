"""A preview as one image: the edits above, where the rule will act on unseen samples below."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from regen.images.labels import FONT_SIZE, INK
from regen.images.raster import size_of
from regen.images.sheets import PAPER, draw_sheet
from regen.report.images import fitted, heat, outlined
from regen.rewriting.preview import ExemplarPreview, Preview

_MARGIN = 12
LEARNED_FROM = {
    "both": "decoded shows the features that were found for the composite; the rule is learned "
    "from them and from the composite itself, and its samples lie between the two",
    "image": "the rule is learned from the composite itself, whatever decoded shows",
    "value": "the rule is learned from the features that decoded shows, and from nothing else: its "
    "samples look like decoded at best",
}
"""What the rule is learned from, by the recall of the fit; said where there is a row decoded."""


def draw_preview(preview: Preview) -> Image.Image:
    """Rows of images with regions outlined, and the cautions in words below them."""
    size = size_of(preview.targets)
    exemplars = torch.stack([_outlined_exemplar(one, size) for one in preview.exemplars])
    rows = [
        ("exemplar", exemplars),
        *([] if preview.inputs is None else [("input", preview.inputs)]),
        ("target", outlined(preview.targets, preview.regions)),
        ("composite", preview.composites),
        *([] if preview.decoded is None else [("decoded", preview.decoded)]),
        ("map", heat(preview.targets, preview.target_maps, preview.regions)),
    ]
    edits = draw_sheet(rows, preview.target_labels)
    others = [
        *([] if preview.unseen_inputs is None else [("input", preview.unseen_inputs)]),
        ("unseen", preview.unseen),
        ("map", heat(preview.unseen, preview.maps)),
    ]
    unseen = draw_sheet(others, preview.labels)
    words = [f"- {caution.text}" for caution in preview.cautions] or ["Nothing looks wrong"]
    if preview.decoded is not None:
        words.append(f"Note: {LEARNED_FROM[preview.recall]}")
    width = max(edits.width, unseen.width)
    return _stacked([edits, unseen, _written(words, width)], width)


def _outlined_exemplar(exemplar: ExemplarPreview, size: tuple[int, int]) -> Tensor:
    image = fitted(exemplar.image, size)[None]
    region = fitted(exemplar.region, size, margin=0.0)[None]
    return outlined(image, region)[0]


def _written(sentences: Sequence[str], width: int) -> Image.Image:
    """Sentences, each broken into lines that fit."""
    font = ImageFont.load_default(FONT_SIZE - 4)
    lines = [line for text in sentences for line in _lines(text, font, width - 2 * _MARGIN)]
    sheet = Image.new("RGB", (width, 2 * _MARGIN + len(lines) * FONT_SIZE), PAPER)
    draw = ImageDraw.Draw(sheet)
    for i, line in enumerate(lines):
        draw.text((_MARGIN, _MARGIN + i * FONT_SIZE), line, INK, font)
    return sheet


def _lines(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int) -> list[str]:
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if font.getlength(longer) <= width or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(f"  {word}")
    return lines


def _stacked(parts: Sequence[Image.Image], width: int) -> Image.Image:
    sheet = Image.new("RGB", (width, sum(part.height for part in parts)), PAPER)
    top = 0
    for part in parts:
        sheet.paste(part, (0, top))
        top += part.height
    return sheet

"""Which levels of a mask are labels."""

from __future__ import annotations

import torch

from regen.images.regions import Region
from regen.rewriting.mask_labels import label_levels


def test_levels_of_masks() -> None:
    assert label_levels(Region.ellipse(16, 16, 12, 9).mask(32, 32)) == [255]  # and a smooth edge
    assert label_levels(torch.full((1, 1, 8, 8), 3 / 255)) == [3]
    assert label_levels(torch.linspace(0, 1, 64).view(1, 1, 8, 8)) == []


def test_no_labels_in_what_was_painted_or_found() -> None:
    brush = torch.zeros(1, 1, 32, 32)
    brush[..., 10:16, 4:28], brush[..., [9, 16], 4:28] = 1, 128 / 255  # half a pixel at its edges
    assert label_levels(brush) == [255]
    found = torch.full((1, 1, 32, 32), 1 / 255)  # faint where little looks alike
    found[..., 10:26, 4:28] = torch.linspace(0.1, 1, 24)
    assert label_levels(found) == []

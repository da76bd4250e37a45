"""The files that the edits files of the tests name."""

from __future__ import annotations

import pytest
import torch

from regen.images import mask_to_png, save_image


@pytest.fixture
def folder(tmp_path):
    save_image(tmp_path / "cat.png", torch.zeros(1, 3, 80, 90))
    (tmp_path / "p.safetensors").write_bytes(b"")
    (tmp_path / "m.png").write_bytes(mask_to_png(torch.eye(8)[None, None]))
    return tmp_path

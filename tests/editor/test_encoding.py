"""Images as a page takes them."""

from __future__ import annotations

import base64
import io

import numpy as np
import torch
from PIL import Image

from regen.editor.encoding import exact_uri, map_uri, mask_image_uri, picture_uri


def decoded(uri: str) -> np.ndarray:
    data = base64.b64decode(uri.partition(",")[2])
    return np.asarray(Image.open(io.BytesIO(data)))


def test_images_are_exact_where_they_are_small_and_jpeg_where_not() -> None:
    image = torch.rand(3, 40, 30) * 2 - 1
    exact = ((image + 1) * 127.5).round().byte().permute(1, 2, 0).numpy()
    assert np.array_equal(decoded(picture_uri(image)), exact)
    assert picture_uri(torch.zeros(3, 400, 400)).startswith("data:image/jpeg;base64,")
    large = torch.rand(3, 400, 400) * 2 - 1
    exact = ((large + 1) * 127.5).round().byte().permute(1, 2, 0).numpy()
    assert np.array_equal(decoded(exact_uri(large)), exact)
    alpha = decoded(map_uri(torch.tensor([[0.0, 1.0], [0.5, 2.0]])))
    assert alpha[..., 1].tolist() == [[0, 255], [128, 255]] and alpha[..., 0].min() == 255
    assert decoded(mask_image_uri(torch.tensor([[[[0.0, 0.5, 1.0]]]]))).tolist() == [[0, 128, 255]]

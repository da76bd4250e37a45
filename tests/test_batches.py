from __future__ import annotations

import pytest

from regen.batches import at_once


@pytest.mark.parametrize("most", [1, 4, 16])
@pytest.mark.parametrize("size", [(1, 1), (200, 300), (256, 256), (300, 300), (512, 256), (999, 7)])
def test_a_batch_has_no_more_pixels_than_as_many_images_of_the_usual_size(
    most: int, size: tuple[int, int]
) -> None:
    count, pixels = at_once(most, size), size[0] * size[1]
    assert 1 <= count <= most
    assert count == 1 or count * pixels <= most * 256 * 256
    assert count == most or (count + 1) * pixels > most * 256 * 256

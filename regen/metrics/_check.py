"""The one check that every measure makes of its images."""

from __future__ import annotations

from torch import Tensor

from regen.errors import MetricError


def check_pair(measure: str, a: Tensor, b: Tensor, least: int = 1) -> None:
    """Refuse two batches of images that cannot be compared.

    Args:
        measure: Name of the measure, for the message.
        a: Images ``[N, 3, H, W]``.
        b: Images of the same shape.
        least: Smallest side the measure can take, in pixels.

    Raises:
        MetricError: If either is no batch of RGB images, they differ in shape, or are too small.
    """
    if a.dim() != 4 or a.shape[1] != 3 or a.shape != b.shape or a.shape[0] == 0:
        raise MetricError(
            f"{measure}: the two batches of images do not match",
            got=f"{list(a.shape)} and {list(b.shape)}",
            expected="twice [N, 3, H, W] with N at least 1",
        )
    if min(a.shape[2:]) < least:
        raise MetricError(
            f"{measure}: the images are too small",
            got=f"{a.shape[2]}x{a.shape[3]}",
            expected=f"at least {least}x{least} pixels",
        )

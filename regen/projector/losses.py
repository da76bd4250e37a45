"""What the backward projector B minimises: the total loss of section 4.1.2 of the paper.

Four terms, each a mean over the batch and each with its own weight (0 leaves it out); the
adversarial one is that of section 4.1.1, those of the semi-cycle are from section 4.1.2. With an
image x, its value v, the feature discriminator D and the generator's tail T they are

    feature L1          |B(x) - v|
    adversarial         softplus(-D(B(x)))
    semi-cycle, L1      |T(B(x)) - x|
    semi-cycle, SSIM    1 - SSIM(T(B(x)), x)

Features are in normalised units: 1 is one standard deviation of a channel over the generator's
values. Beyond the paper, an image may be a composite. Where a pattern was pasted v does not hold:
feature L1 and D ignore these positions, and the L1 of the semi-cycle gives them more weight.

Shapes: N images; H, W their height and width; C, h, w channels, height and width of the value.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from regen.losses import generator_loss, ssim_loss, weighted_l1
from regen.projector.sampling import Batch
from regen.projector.settings import ProjectorTrainingSettings


@dataclass(frozen=True)
class ProjectorLoss:
    """The total loss of a batch.

    Attributes:
        total: A scalar, what B minimises.
        terms: Its terms before they are weighted, by the names of their weights in
            `ProjectorTrainingSettings`; those of weight 0 are missing.
        decoded: T(B(x)), ``[N, 3, H, W]``; None where the semi-cycle has no weight.
    """

    total: Tensor
    terms: dict[str, Tensor]
    decoded: Tensor | None


def total_loss(
    prediction: Tensor,
    value: Tensor,
    batch: Batch,
    settings: ProjectorTrainingSettings,
    *,
    discriminator: Callable[[Tensor], Tensor],
    tail: Callable[[Tensor], Tensor],
) -> ProjectorLoss:
    """The total loss of section 4.1.2, for the predictions of one batch.

    Args:
        prediction: B(x) in normalised units, ``[N, C, h, w]``.
        value: v in normalised units, the same shape.
        batch: The images x, and where something was pasted into them.
        settings: The weights of the terms.
        discriminator: D, from normalised features to logits ``[N, 1, h', w']``. Not called where
            its term has no weight.
        tail: T, from normalised features to images ``[N, 3, H, W]``. Not called where the
            semi-cycle has no weight.

    Raises:
        ShapeError: If the shapes do not fit.
    """
    terms: dict[str, Tensor] = {}
    decoded: Tensor | None = None
    if settings.feature_l1:
        terms["feature_l1"] = weighted_l1(prediction, value, batch.kept)
    if settings.adversarial:
        logits = discriminator(prediction)
        terms["adversarial"] = generator_loss(logits, kept_cells(batch.kept, logits))
    if settings.semi_cycle_l1 or settings.semi_cycle_ssim:
        decoded = tail(prediction)
        if settings.semi_cycle_l1:
            emphasis = 1 + settings.paste_weight * batch.pasted
            emphasis = emphasis if batch.counted is None else emphasis * batch.counted
            terms["semi_cycle_l1"] = weighted_l1(decoded, batch.image, emphasis)
        if settings.semi_cycle_ssim:
            terms["semi_cycle_ssim"] = _structure(decoded, batch)
    weighted = [float(getattr(settings, name)) * term for name, term in terms.items()]
    return ProjectorLoss(torch.stack(weighted).sum(), terms, decoded)


def _structure(decoded: Tensor, batch: Batch) -> Tensor:
    """1 - SSIM, relative to the share of a window that counts; the rest is made equal first."""
    if batch.counted is None:
        return ssim_loss(decoded, batch.image)
    shown = batch.image.lerp(decoded, batch.counted)
    return ssim_loss(shown, batch.image) / batch.counted.mean()


def kept_cells(kept: Tensor, logits: Tensor) -> Tensor:
    """Which cells of the discriminator's logits hold no paste.

    Args:
        kept: Positions of the value without a paste, ``[N, 1, h, w]``, 1 or 0.
        logits: ``[N, 1, h', w']``, at most as large.

    Returns:
        ``[N, 1, h', w']``, 1 or 0.

    Example:
        >>> kept = torch.tensor([[[[1.0, 1.0], [1.0, 0.0]]]])
        >>> kept_cells(kept, torch.zeros(1, 1, 1, 1)).item(), kept_cells(kept, kept).sum().item()
        (0.0, 3.0)
    """
    return 1 - F.adaptive_max_pool2d(1 - kept, logits.shape[-2:])

"""The total loss of section 4.1.2, term by term, on a linear tail and discriminator."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from regen.generators.split import Activation
from regen.losses import generator_loss, ssim_loss, weighted_l1
from regen.projector.losses import ProjectorLoss, kept_cells, total_loss
from regen.projector.sampling import Batch
from regen.projector.settings import ProjectorTrainingSettings

NONE = dict.fromkeys(("feature_l1", "adversarial", "semi_cycle_l1", "semi_cycle_ssim"), 0.0)


@dataclass
class Called:
    """A linear tail and discriminator that count how often they are asked."""

    tail: int = 0
    discriminator: int = 0

    def decode(self, features: Tensor) -> Tensor:
        self.tail += 1
        return F.interpolate(features, scale_factor=2.0) / 2

    def judge(self, features: Tensor) -> Tensor:
        self.discriminator += 1
        return F.avg_pool2d(features.mean(dim=1, keepdim=True), 2)


def batch(pasted_corner: bool = True) -> Batch:
    pasted, kept = torch.zeros(2, 1, 16, 16), torch.ones(2, 1, 8, 8)
    if pasted_corner:
        pasted[..., :4, :4], kept[..., :3, :3] = 1, 0
    nothing = Activation(torch.zeros(2, 3, 8, 8), None)  # type: ignore[arg-type]
    return Batch(torch.rand(2, 3, 16, 16) * 2 - 1, pasted, kept, nothing)


def loss_of(
    prediction: Tensor, value: Tensor, shown: Batch, called: Called, **weights: float
) -> ProjectorLoss:
    settings = ProjectorTrainingSettings(**{**NONE, **weights})  # type: ignore[arg-type]
    return total_loss(
        prediction, value, shown, settings, discriminator=called.judge, tail=called.decode
    )


def test_the_total_is_the_weighted_sum_of_all_terms() -> None:
    prediction, value, shown = torch.randn(2, 3, 8, 8), torch.randn(2, 3, 8, 8), batch()
    weights = {"feature_l1": 1.0, "adversarial": 0.5, "semi_cycle_l1": 4.0, "semi_cycle_ssim": 2.0}
    loss = loss_of(prediction, value, shown, Called(), **weights, paste_weight=3.0)
    logits, decoded = Called().judge(prediction), Called().decode(prediction)
    expected = {
        "feature_l1": weighted_l1(prediction, value, shown.kept),
        "adversarial": generator_loss(logits, kept_cells(shown.kept, logits)),
        "semi_cycle_l1": weighted_l1(decoded, shown.image, 1 + 3 * shown.pasted),
        "semi_cycle_ssim": ssim_loss(decoded, shown.image),
    }
    assert list(loss.terms) == list(expected)
    for name, term in expected.items():
        torch.testing.assert_close(loss.terms[name], term)
    total = sum(weights[name] * term for name, term in expected.items())
    torch.testing.assert_close(loss.total, total)
    assert loss.decoded is not None
    torch.testing.assert_close(loss.decoded, decoded)


@pytest.mark.parametrize("name", list(NONE))
def test_a_term_alone_asks_for_no_more_than_it_needs(name: str) -> None:
    called = Called()
    loss = loss_of(torch.randn(2, 3, 8, 8), torch.randn(2, 3, 8, 8), batch(), called, **{name: 2.0})
    assert list(loss.terms) == [name]
    torch.testing.assert_close(loss.total, 2 * loss.terms[name])
    assert called.discriminator == (name == "adversarial")
    assert called.tail == name.startswith("semi_cycle")
    assert (loss.decoded is None) == (called.tail == 0)


def test_what_is_pasted_counts_for_the_decoded_image_and_for_nothing_else() -> None:
    prediction, shown = torch.zeros(2, 3, 8, 8), batch()
    wrong = (1 - shown.kept).expand(-1, 3, -1, -1)  # the value differs under the paste alone
    assert loss_of(prediction, wrong, shown, Called(), feature_l1=1.0).total.item() == 0
    everywhere = loss_of(prediction, wrong, batch(False), Called(), feature_l1=1.0)
    assert everywhere.total.item() == pytest.approx(9 / 64)
    logits = Called().judge(wrong)
    asked = loss_of(wrong, wrong, shown, Called(), adversarial=1.0).total
    torch.testing.assert_close(asked, F.softplus(-logits[..., 2:, 2:]).mean())


def test_a_gradient_reaches_the_prediction_from_every_term() -> None:
    for name in NONE:
        prediction = torch.randn(2, 3, 8, 8, requires_grad=True)
        value = torch.randn(2, 3, 8, 8)
        loss_of(prediction, value, batch(), Called(), **{name: 1.0}).total.backward()
        assert prediction.grad is not None and prediction.grad.abs().sum() > 0, name

"""A rewrite in closed form: weighted, regularised least squares, one convolution after the other.

For keys K, weights S of their positions and residuals R of what a convolution outputs there, the
change of its weight that best corrects R while it changes random samples as little as possible is

    dW = R S K' (mu C + K S K')^-1

with C the second moment of all keys (ROME and MEMIT, Meng et al. 2022 and 2023, with the weights
that a rule of images has). The convolutions of a memory are updated in turn as in MEMIT: of L
convolutions the i-th, from 0, takes the share 1 / (L - i) of the remaining residual, and the
residual is measured again after each.

A generator is not a chain of linear maps, and a rule defines what the value and the image should
be, not what each convolution should output. Residuals are therefore propagated back: ``R S K'`` is
the negative gradient of half the weighted square error with respect to the weight, whatever lies
between, and is computed by back-propagation through activations, demodulation and tail. The length
of the step follows from the same least-squares model, with the error's change along dW measured.

Shapes: T targets; O output channels; K = I * k * k entries of a key; L convolutions.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from regen.errors import RewriteError
from regen.generators.split import Split
from regen.rewriting.crops import Crops
from regen.rewriting.key_moments import Moments, check_keyed
from regen.rewriting.objective import position_weights
from regen.rewriting.rule import Rule
from regen.rewriting.rule_keys import region_moments
from regen.rewriting.settings import FitSettings

_PROBE = 1e-2  # how far, relative to the weight, the error's change along a step is measured
_HALVINGS = 4


@dataclass(frozen=True)
class ClosedFormSettings:
    """How the closed form is regularised; the defaults measured best on the portraits.

    Attributes:
        rounds: Passes over the convolutions of the memory, at least 1.
        mu: Weight of C beside the rule's own keys, whose weights sum to 1; at least 0.
        ridge: Added to the diagonal, relative to its mean, above 0. A large one trusts the
            linear model less: it shortens the step along rare directions of the keys.
    """

    rounds: int = 2
    mu: float = 0.1
    ridge: float = 1.0

    def __post_init__(self) -> None:
        if self.rounds < 1:
            raise RewriteError("closed form: rounds", got=self.rounds, expected="1 or more")
        if not (self.mu >= 0 and self.ridge > 0):
            raise RewriteError(
                "closed form",
                got=f"mu {self.mu:g}, ridge {self.ridge:g}",
                expected="mu 0 or more, ridge above 0",
            )


def solve(gradient: Tensor, factor: Tensor) -> Tensor:
    """``R S K' A^-1`` from ``-R S K'`` and the Cholesky factor of A.

    Args:
        gradient: ``[O, K]``.
        factor: From `regularised_factor`, ``[K, K]`` float64.

    Returns:
        dW ``[O, K]`` float64.
    """
    return -torch.cholesky_solve(gradient.cpu().double().T, factor).T


def regularised_factor(keys: Tensor, moment: Tensor, mu: float, ridge: float) -> Tensor:
    """Lower Cholesky factor of ``A = mu C + K S K'`` with its relative ridge.

    Args:
        keys: ``K S K'``, ``[K, K]`` float64.
        moment: C, ``[K, K]`` float64.
        mu: Weight of C.
        ridge: Relative to the mean of A's diagonal.

    Raises:
        RewriteError: If A is not positive definite: keys are not finite, or all zero.
    """
    a = mu * moment + keys
    a.diagonal().add_(ridge * a.diagonal().mean())
    factor: Tensor
    factor, failed = torch.linalg.cholesky_ex(a)
    if failed or not bool(factor.isfinite().all()):
        raise RewriteError(
            "closed form: the second moment of the keys has no Cholesky factor",
            remedy="look for keys that are not finite, or take a larger ridge",
        )
    return factor


def closed_form(
    split: Split,
    rule: Rule,
    fit: FitSettings,
    moments: Moments,
    settings: ClosedFormSettings | None = None,
    crops: Crops | None = None,
) -> dict[str, Tensor]:
    """Weights of the memory's convolutions that recall a rule better.

    Recall is measured as `fit` says, in squares. Biases are not changed. Samples that `fit`
    preserves are taken into account only through C.

    Args:
        split: The generator; not modified.
        rule: What should be recalled.
        fit: Weights, border, and where recall is measured.
        moments: C of each convolution, by the name of its weight.
        settings: How the change is regularised.
        crops: The windows on which recall is measured, or None for whole images.

    Returns:
        The new weights, by name inside the memory, float32.

    Raises:
        RewriteError: If the family cannot give keys, or keys are not finite.
    """
    settings = settings or ClosedFormSettings()
    check_keyed(split)
    error = _Error(split, rule, fit, crops)
    own = dict(split.memory.named_parameters())
    names = [name for name in split.memory_weights() if own[name].ndim == 4]
    weights = {name: own[name].detach().clone() for name in names}
    factors: dict[str, Tensor] = {}
    for turn in range(settings.rounds):
        for i, name in enumerate(names):
            if name not in factors:  # keys change little from round to round
                keys = region_moments(
                    split,
                    rule.keys,
                    rule.image_mask,
                    [name],
                    weights=weights,
                    shares=(fit.weight_new, fit.weight_old, fit.border),
                )[name]
                moment = moments[name].matrix()
                factors[name] = regularised_factor(keys, moment, settings.mu, settings.ridge)
            share = 1 / (len(names) - i) if turn == 0 else 1.0
            weights[name] = _improved(error, weights, name, factors[name], share)
    return weights


def _improved(
    error: _Error, weights: dict[str, Tensor], name: str, factor: Tensor, share: float
) -> Tensor:
    """One convolution's weight after its step; the same weight if no step reduces the error."""
    weight = weights[name].requires_grad_()
    residual = error(weights)
    loss = residual.square().sum()
    (gradient,) = torch.autograd.grad(loss / 2, [weight])
    weight, residual = weight.detach(), residual.detach()
    weights[name] = weight
    step = solve(gradient.flatten(1), factor).reshape(weight.shape).to(weight)
    size = step.norm()
    if not bool(size > 0):
        return weight
    with torch.no_grad():
        probe = _PROBE * weight.norm() / size
        slope = (error({**weights, name: weight + probe * step}) - residual) / probe
        length = -share * (residual @ slope) / (slope @ slope).clamp_min(1e-30)
        for _ in range(_HALVINGS):
            better: Tensor = weight + length * step
            if bool(error({**weights, name: better}).square().sum() < loss):
                return better
            length = length / 2
    return weight


class _Error:
    """The rule's weighted residuals as a vector, whose squares sum to the squared recall error."""

    def __init__(self, split: Split, rule: Rule, fit: FitSettings, crops: Crops | None) -> None:
        self.split, self.rule = split, rule if crops is None else crops.rule(rule)
        on_values = 1.0 if fit.recall != "image" else 0.0
        on_images = fit.image_weight if fit.recall != "value" else 0.0
        weights, image_weights = position_weights(rule, fit, crops)
        self.weights = (weights * on_values / rule.wanted.shape[1]).sqrt()
        self.image_weights = (image_weights * on_images / 3).sqrt() if on_images else None

    def __call__(self, weights: dict[str, Tensor]) -> Tensor:
        keys = self.rule.keys.with_features(self.rule.keys.features.float())
        value = self.split.recall(keys, weights)
        parts = [self.weights * (value.features - self.rule.wanted)]
        if self.image_weights is not None:
            image = self.split.tail(value)
            parts.append(self.image_weights * (image - self.rule.composites))
        return torch.cat([part.flatten() for part in parts])

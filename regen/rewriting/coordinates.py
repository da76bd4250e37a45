"""Coordinates in which a fit takes its steps.

Keys are far from white: a few directions, each a mixture of many taps, carry nearly all of their
energy. Adam gives every variable its own step size, which helps where the variables are these
directions and not where they are taps. In *key coordinates* Z,

    W = W0 + Z T,    T = s (E + 1)^(-1/4) V'

with V the eigenvectors of C, the second moment of all keys, and E its eigenvalues over their mean;
the strongest directions are also shortened a little. That Adam benefits from such a basis is the
finding of SOAP (Vyas et al. 2024), which has to estimate it from gradients; here it is known
beforehand.

Adam's steps are as long for directions in which a rule has no part, and what they change elsewhere
must be found again. The least squares of `regen.rewriting.closed_form` have the solution
``R S K' A^-1`` with A = tau C + K S K'. Whatever the residuals R, it is made of the rule's keys,
and small along what all keys share. So are steps along the rule's own keys:

    T = s (E + 1)^(-1/4) V' (K S K') A^-1

with S the region that the rule acts on (see `regen.rewriting.rule_keys`). Both are multiplied with
the root mean square of W0, so that a step is as long beside the weight in every network. Biases
keep their coordinates.

Shapes: O, I channels; k kernel; K = I * k * k.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from regen.rewriting.closed_form import regularised_factor, solve
from regen.rewriting.key_moments import KeyMoment

_REACH = 4.0  # s makes this the root mean square of a direction's length; measured
_TAU = 0.05  # measured: more recalls less, less changes more elsewhere
_RIDGE = 3e-4  # beside the mean of the diagonal: weak keys must not be made loud


class Coordinates:
    """Variables to optimise, and the weights they stand for.

    Args:
        start: Initial parameters, by name.
        maps: T of those that have one, ``[K, K]`` from `key_map`, before it is multiplied with
            their root mean square; the others are optimised directly.

    Attributes:
        variables: Leaves that require gradients, by name.
    """

    def __init__(
        self, start: Mapping[str, Tensor], maps: Mapping[str, Tensor] | None = None
    ) -> None:
        self.start = {name: tensor.detach() for name, tensor in start.items()}
        self.maps = {
            name: t.to(self.start[name]) * _size(self.start[name])
            for name, t in (maps or {}).items()
        }
        self.variables = {
            name: (t.new_zeros(t.shape) if name in self.maps else t.clone()).requires_grad_()
            for name, t in self.start.items()
        }

    def weights(self) -> dict[str, Tensor]:
        """Parameters by name, differentiable in `variables`."""
        return {name: self._weight(name, z) for name, z in self.variables.items()}

    def _weight(self, name: str, z: Tensor) -> Tensor:
        if name not in self.maps:
            return z
        start = self.start[name]
        return start + (z.flatten(1) @ self.maps[name]).reshape(start.shape)


def _size(weight: Tensor) -> Tensor:
    """Root mean square."""
    return weight.square().mean().sqrt()


def key_map(moment: KeyMoment, rule_moment: Tensor | None = None) -> Tensor:
    """T of a convolution.

    Args:
        moment: C, of all keys.
        rule_moment: K S K', of the rule's keys, ``[K, K]`` float64, to step along those; None for
            all directions.

    Returns:
        ``[K, K]`` float64.

    Raises:
        RewriteError: If keys are not finite, or all zero.
    """
    mean = moment.values.mean().clamp_min(1e-30)
    t = (moment.values / mean + 1).pow(-0.25)[:, None] * moment.vectors.T
    if rule_moment is not None:
        factor = regularised_factor(rule_moment, moment.matrix(), _TAU, _RIDGE)
        t = -solve(t @ rule_moment, factor)
    return t * (_REACH / (t.square().sum() / len(t)).sqrt())

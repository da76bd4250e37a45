"""Coordinates in which a fit takes its steps.

Keys are far from white: a few directions, each a mixture of many taps, carry nearly all of their
energy. Adam gives every variable its own step size, which helps where the variables are these
directions and not where they are taps. In *key coordinates* Z,

    W = W0 + Z T,    T = s (E + 1)^(-1/4) V',    E = eigenvalues of C over their mean

with V the eigenvectors of C, the second moment of keys; the strongest directions are also shortened
a little. That Adam benefits from such a basis is the finding of SOAP (Vyas et al. 2024), which has
to estimate it from gradients; here it is known beforehand. Biases keep their coordinates.

Shapes: O, I channels; k kernel; K = I * k * k.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from regen.rewriting.key_moments import KeyMoment, Moments

_REACH = 4.0  # s makes this the root mean square of a direction's factor; measured


class Coordinates:
    """Variables to optimise, and the weights they stand for.

    Args:
        start: Initial parameters, by name.
        moments: C of those that are convolutions; others, or all if None, are optimised directly.

    Attributes:
        variables: Leaves that require gradients, by name.
    """

    def __init__(self, start: Mapping[str, Tensor], moments: Moments | None = None) -> None:
        self.start = {name: tensor.detach() for name, tensor in start.items()}
        self.maps = {
            name: key_map(moments[name]).to(tensor)
            for name, tensor in self.start.items()
            if moments is not None and name in moments
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


def key_map(moment: KeyMoment) -> Tensor:
    """T ``[K, K]`` float64 of a convolution."""
    mean = moment.values.mean().clamp_min(1e-30)
    factors = (moment.values / mean + 1).pow(-0.25)
    factors = _REACH * factors / factors.square().mean().sqrt()
    return factors[:, None] * moment.vectors.T

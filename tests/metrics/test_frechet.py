"""The Frechet distance of Gaussians whose distance is known in closed form."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from regen.errors import MetricError
from regen.metrics import frechet_distance


def with_moments(mean: Tensor, covariance: Tensor, n: int = 50) -> Tensor:
    """Rows whose sample mean and unbiased covariance are exactly these, to rounding."""
    rows = torch.randn(n, len(mean), dtype=torch.float64)
    rows -= rows.mean(dim=0)
    white = torch.linalg.cholesky(rows.T @ rows / (n - 1))
    rows = torch.linalg.solve_triangular(white, rows.T, upper=False).T
    return mean + rows @ torch.linalg.cholesky(covariance).T


def test_commuting_covariances_differ_by_the_differences_of_their_roots() -> None:
    mean, other = torch.tensor([1.0, 2.0, 3.0]).double(), torch.tensor([1.0, 0.0, 4.0]).double()
    a = with_moments(mean, torch.diag(torch.tensor([1.0, 4.0, 9.0]).double()))
    b = with_moments(other, torch.diag(torch.tensor([4.0, 4.0, 1.0]).double()))
    assert frechet_distance(a, b) == pytest.approx((4 + 1) + (1 + 0 + 4), rel=1e-9)


def test_covariances_that_do_not_commute_match_scipys_root_of_the_product() -> None:
    from scipy.linalg import sqrtm

    roots = torch.randn(2, 5, 5).double()
    first, second = roots @ roots.transpose(1, 2) + 0.1 * torch.eye(5)
    zero = torch.zeros(5).double()
    root = torch.from_numpy(sqrtm((first @ second).numpy()).real)
    wanted = (first + second - 2 * root).trace().item()
    found = frechet_distance(with_moments(zero, first), with_moments(zero, second))
    assert found == pytest.approx(wanted, rel=1e-7)


def test_equal_sets_are_at_distance_zero_in_any_order_even_of_low_rank() -> None:
    a = torch.randn(10, 64)
    assert frechet_distance(a, a[torch.randperm(10)]) == pytest.approx(0, abs=1e-6)


def test_a_shift_is_its_square() -> None:
    a = torch.randn(20, 8)
    assert frechet_distance(a, a + 0.5) == pytest.approx(8 * 0.25, rel=1e-5)


@pytest.mark.parametrize("shape", [(3, 5), (1, 4), (4,)])
def test_features_that_do_not_match_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(MetricError) as error:
        frechet_distance(torch.zeros(3, 4), torch.zeros(shape))
    assert str(error.value) == (
        f"Frechet distance: the two sets of features do not match: got [3, 4] and {list(shape)}, "
        "expected [N, D] and [M, D] with one D, N and M at least 2"
    )


def test_features_that_are_not_finite_are_refused() -> None:
    with pytest.raises(MetricError, match="got features that are not finite"):
        frechet_distance(torch.full((3, 2), torch.nan), torch.zeros(3, 2))

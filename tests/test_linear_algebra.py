from __future__ import annotations

import torch

from regen.linear_algebra import symmetric_root, whitening


def moment(size: int = 6) -> torch.Tensor:
    rows = torch.randn(50, size, dtype=torch.float64)
    return rows.T @ rows / 50


def test_the_root_squared_is_the_matrix() -> None:
    matrix = moment()
    root = symmetric_root(matrix)
    torch.testing.assert_close(root @ root, matrix)
    torch.testing.assert_close(root, root.T)
    assert torch.linalg.eigvalsh(root).min() > 0


def test_the_root_of_a_matrix_of_low_rank_is_finite() -> None:
    row = torch.randn(1, 6, dtype=torch.float64)
    matrix = row.T @ row  # five eigenvalues are 0, some by rounding below it
    root = symmetric_root(matrix)
    torch.testing.assert_close(root @ root, matrix)


def test_whitened_rows_have_the_unit_as_their_second_moment() -> None:
    matrix = moment()
    white = whitening(matrix, ridge=1e-12)
    torch.testing.assert_close(white @ matrix @ white, torch.eye(6, dtype=torch.float64))
    torch.testing.assert_close(white, white.T)


def test_the_ridge_is_relative_to_the_mean_eigenvalue() -> None:
    matrix = moment()
    white = whitening(matrix, ridge=0.5)
    raised = matrix + 0.5 * matrix.diagonal().mean() * torch.eye(6, dtype=torch.float64)
    torch.testing.assert_close(white @ raised @ white, torch.eye(6, dtype=torch.float64))
    torch.testing.assert_close(whitening(100 * matrix, ridge=0.5), white / 10)


def test_results_are_float64_outside_of_any_graph() -> None:
    matrix = torch.eye(3).requires_grad_()
    for result in (symmetric_root(matrix), whitening(matrix, ridge=0.1)):
        assert result.dtype == torch.float64 and not result.requires_grad

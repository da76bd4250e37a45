from __future__ import annotations

import pytest
import torch

from experiments.tables.rows import TABLE1_METRICS, TABLE2_METRICS, Measured, json_row


def test_a_mean_comes_with_its_interval() -> None:
    measured = Measured()
    measured.mean("ssim", torch.tensor([1.0, 2.0, 6.0]))
    low, high = measured.intervals["ssim"]
    assert measured.numbers["ssim"] == pytest.approx(3.0)
    assert 1 <= low < 3 < high <= 6


def test_a_row_has_every_metric_and_says_why_one_is_missing() -> None:
    measured = Measured()
    measured.number("seconds", 2.0)
    measured.mean("frechet", None, "no weights")
    row = json_row({"row": "a", "targets": 3}, measured, TABLE2_METRICS)
    assert set(row) == {"row", "targets", *TABLE2_METRICS, "intervals", "unavailable"}
    assert set(row["intervals"]) == set(TABLE2_METRICS)
    assert row["seconds"] == 2.0
    assert row["frechet"] is None
    assert row["unavailable"] == {"frechet": "no weights"}


def test_the_columns_are_those_that_others_read() -> None:
    assert set(TABLE1_METRICS) == {
        "lpips_in_domain",
        "lpips_out_of_domain",
        "psnr",
        "ssim",
        "wasserstein",
        "sliced_wasserstein",
        "seconds",
    }
    assert set(TABLE2_METRICS) == {
        "locality_lpips",
        "inside_lpips_before",
        "inside_lpips_after",
        "inside_l1_before",
        "inside_l1_after",
        "outside_l1",
        "frechet",
        "seconds",
        "peak_memory_mb",
    }

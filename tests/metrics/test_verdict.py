"""A verdict in words: took or not, kept or spilled, by the numbers of metrics.json."""

from __future__ import annotations

from typing import Any

import pytest

from regen.metrics.verdict import (
    HIGHEST_AWAY,
    IN_PART_BELOW,
    MOST_AWAY,
    MOST_MISSED,
    SPILLED_ABOVE,
    TOOK_BELOW,
    verdict_of,
)


def pair(value: float, l1: float = 0.5) -> dict[str, float]:
    return {"lpips": value, "l1": l1}


def by_oracle(after: float, outside: float = 0.003) -> dict[str, Any]:
    """Metrics of a rewrite whose distance to the oracle was 0.1."""
    return {
        "inside": pair(0.08),
        "outside": pair(outside),
        "region_source": "oracle",
        "oracle_source": "renderer",
        "oracle": {"inside_before": pair(0.1), "inside_after": pair(after)},
    }


def by_targets(left: float, inside: float) -> dict[str, Any]:
    """Metrics without an oracle: a change of 0.1 was asked of the targets."""
    return {
        "inside": pair(inside),
        "outside": pair(0.003),
        "region_source": "similarity",
        "oracle": None,
        "targets": {"asked": pair(0.1), "left": pair(left), "outside": pair(0.002)},
        "map": {"away": 0.02, "peak": HIGHEST_AWAY, "where": "top"},
        "missed": MOST_MISSED,
    }


def found(metrics: dict[str, Any]) -> tuple[str, str]:
    said = verdict_of(metrics)
    assert said is not None
    return said.took, said.kept


@pytest.mark.parametrize(
    ("after", "took"),
    [
        (0.1 * TOOK_BELOW, "took"),
        (0.1 * TOOK_BELOW + 0.001, "took in part"),
        (0.1 * IN_PART_BELOW, "took in part"),
        (0.1 * IN_PART_BELOW + 0.001, "did not take"),
        (0.13, "did not take"),
    ],
)
def test_an_oracle_decides_whether_a_rule_took(after: float, took: str) -> None:
    assert found(by_oracle(after)) == (took, "kept")


@pytest.mark.parametrize(
    ("left", "inside", "took"),
    [
        (0.03, 0.08, "took"),
        (0.03, 0.04, "took in part"),  # learned, but only half carried over
        (0.03, 0.01, "did not take"),  # the targets alone changed
        (0.07, 0.08, "took in part"),
        (0.095, 0.08, "did not take"),  # something changed, but not into what was asked
    ],
)
def test_without_an_oracle_targets_and_unseen_samples_decide(
    left: float, inside: float, took: str
) -> None:
    assert found(by_targets(left, inside)) == (took, "kept")


def test_change_outside_of_the_region_is_a_spill() -> None:
    limit = SPILLED_ABOVE["lpips"]
    assert found(by_oracle(0.02, limit))[1] == "kept"
    said = verdict_of(by_oracle(0.02, limit + 0.001))
    assert said is not None and said.kept == "spilled"
    assert said.text.endswith(
        "It spilled: outside of the region images changed by 0.021 (LPIPS), above 0.02."
    )


def test_a_change_of_the_targets_outside_is_a_spill_too() -> None:
    metrics = by_targets(0.03, 0.08)
    metrics["targets"]["outside"] = pair(0.05)
    said = verdict_of(metrics)
    assert said is not None and said.kept == "spilled"
    assert "the targets changed by 0.050 (LPIPS) outside of their regions, above 0.02." in said.text


def test_a_map_that_stands_in_for_the_region_must_not_lie_elsewhere() -> None:
    metrics = by_targets(0.03, 0.08)
    metrics["map"] = {"away": MOST_AWAY + 0.1, "where": "top left"}
    said = verdict_of(metrics)
    assert said is not None and said.kept == "spilled"
    assert said.text.endswith(
        "It spilled: 20% of the map lies away from the targets' regions, most of it at the top "
        "left."
    )
    assert found({**metrics, "region_source": "paste"})[1] == "kept"  # the region is known


def test_a_small_spot_of_the_map_elsewhere_must_not_be_strong() -> None:
    metrics = by_targets(0.03, 0.08)
    assert found(metrics)[1] == "kept"
    metrics["map"]["peak"] = 0.7
    said = verdict_of(metrics)
    assert said is not None and said.text.endswith(
        "It spilled: at the top the map on the targets is 70% as strong as inside their regions."
    )
    assert found({**metrics, "region_source": "paste"})[1] == "kept"


def test_the_words_with_an_oracle() -> None:
    said = verdict_of(by_oracle(0.025))
    assert said is not None and said.text == (
        "The rule took: inside the region the distance to a perfect rewrite (LPIPS) fell to 25% of "
        "what it was, from 0.100 to 0.025. The rest was kept: outside of the region it changed by "
        "0.003 (LPIPS)."
    )
    pasted = verdict_of({**by_oracle(0.12), "oracle_source": "paste"})
    assert pasted is not None and pasted.text.startswith(
        "The rule did not take: inside the region the distance to the pasted exemplar (LPIPS) rose "
        "to 120% of what it was"
    )
    hardly = verdict_of({**by_oracle(0.099), "oracle_source": "paste"})
    assert hardly is not None and hardly.text.startswith(
        "The rule did not take: inside the region the distance to the pasted exemplar (LPIPS) is "
        "still 99% of what it was, from 0.100 to 0.099"
    )


def test_the_words_without_an_oracle() -> None:
    said = verdict_of(by_targets(0.03, 0.08))
    assert said is not None and said.text.startswith(
        "The rule took: on the targets the distance to what was asked (LPIPS) fell to 30%, and "
        "unseen samples changed inside the region by 80% of it. The rest was kept"
    )


def test_without_lpips_l1_decides() -> None:
    metrics = by_oracle(0.0)
    for part in (metrics["inside"], metrics["outside"], *metrics["oracle"].values()):
        part["lpips"] = None
    metrics["outside"]["l1"] = 0.01
    metrics["oracle"]["inside_after"]["l1"] = 0.4
    said = verdict_of(metrics)
    assert said is not None and said.took == "took in part" and "(L1) fell to 80%" in said.text


@pytest.mark.parametrize("missing", ["inside", "outside", "oracle"])
def test_too_few_metrics_give_no_verdict(missing: str) -> None:
    metrics = by_oracle(0.02)
    if missing == "inside":  # then L1 decides, of which there is none
        metrics["outside"]["l1"] = None
    del metrics[missing]
    assert verdict_of(metrics) is None


def test_nothing_asked_gives_no_verdict() -> None:
    metrics = by_targets(0.0, 0.0)
    metrics["targets"]["asked"] = pair(0.0)
    assert verdict_of(metrics) is None


def test_a_rule_that_misses_samples_took_in_part() -> None:
    metrics = by_targets(left=0.03, inside=0.08)
    assert found(metrics)[0] == "took"
    metrics["missed"] = 0.75
    assert found(metrics)[0] == "took in part"
    said = verdict_of(metrics)
    assert said is not None
    assert "by 80% of it, but on 75% of them less than half as much changed as on" in said.text
    assert found({**metrics, "region_source": "oracle"})[0] == "took"

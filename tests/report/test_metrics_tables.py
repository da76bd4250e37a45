"""Metrics in tables, with all of them and with hardly any."""

from __future__ import annotations

from regen.report.metrics_tables import flat_table, metrics_table

FULL = {
    "lpips": {"backbone": "squeeze", "version": "0.1", "resolution": 128},
    "inside": {"lpips": 0.05, "l1": 0.2},
    "outside": {"lpips": 0.01, "l1": 0.0},
    "oracle": {
        "inside_before": {"lpips": 0.08, "l1": 0.4},
        "inside_after": {"lpips": 0.02, "l1": 0.3},
        "outside_before": {"lpips": 0.0, "l1": 0.1},
        "outside_after": {"lpips": 0.01, "l1": 0.1},
    },
}
BLIND = {
    "lpips": {"backbone": None, "version": None, "resolution": 128, "unavailable": "no <net>"},
    "inside": {"lpips": None, "l1": 0.2},
    "outside": {"lpips": None, "l1": 0.01},
}


def test_the_table_shows_change_oracle_and_how_it_was_taken() -> None:
    table = metrics_table(FULL, "oracle", 64)
    assert "<td>0.0500</td><td>0.2000</td>" in table
    assert "<td>0.0800 → 0.0200 <small>(25%)</small></td>" in table
    assert "<td>0.0000 → 0.0100</td>" in table  # no percentage of nothing
    assert "Means over 64 samples. The regions come from an oracle: what may differ" in table
    assert "LPIPS: squeeze, version 0.1, at 128 pixels" in table


def test_the_table_says_what_could_not_be_computed() -> None:
    table = metrics_table(BLIND, "similarity", 8)
    assert "<td>–</td><td>0.2000</td>" in table
    assert "LPIPS could not be computed: no &lt;net&gt;." in table
    assert "the similarity map stands in for them" in table
    assert "oracle" not in table


def test_where_only_the_regions_have_names_nothing_is_said_of_the_pattern() -> None:
    table = metrics_table({**BLIND, "oracle": None}, "oracle", 8)
    assert "the parts that the edits name, of which the pattern may cover less, or more." in table
    assert "Distance to the oracle" not in table


def test_any_metrics_can_be_listed() -> None:
    table = flat_table({"seconds": {"fit": 31.25, "<x>": None}, "seeds": 64})
    assert table.count("<tr>") == 3
    assert "<code>seconds.fit</code></th><td>31.25</td>" in table
    assert "<code>seconds.&lt;x&gt;</code></th><td>None</td>" in table


def test_a_flat_table_may_say_where_values_come_from() -> None:
    table = flat_table({"fit": {"lr": 0.1}, "n": 1}, {"fit.lr": "<edits>"})
    assert '<th scope="col">from</th>' in table
    assert "<code>fit.lr</code></th><td>0.1</td><td>&lt;edits&gt;</td></tr>" in table
    assert "<code>n</code></th><td>1</td><td></td></tr>" in table

"""`regen.rewriting.settings`: what a rewrite is decided by."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pytest

from regen.errors import RewriteError
from regen.rewriting.settings import (
    NAMES,
    FitSettings,
    RewriteSettings,
    RuleSettings,
)
from tests.helpers.processes import imported_by


def test_nothing_here_imports_torch() -> None:
    code = "import regen.rewriting.presets, regen.rewriting.precedence"
    assert imported_by(code, ("torch", "numpy", "scipy", "pydantic", "PIL")) == set()


def test_every_setting_has_a_dotted_name() -> None:
    made = asdict(RewriteSettings())
    for name in NAMES:
        inner = made
        for part in name.split("."):
            inner = inner[part]
    assert len(NAMES) == len(made) - 2 + len(made["rule"]) + len(made["fit"])
    assert {"rule.align", "fit.steps", "value_layer", "measured_seeds"} <= set(NAMES)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"memory_layers": 0}, "memory_layers: got 0, expected 1 or more"),
        ({"memory_layers": 2.5}, "memory_layers: got 2.5, expected an integer"),
        ({"value_layer": 0}, "value_layer: got 0, expected 1 or more"),
        ({"value_layer": "10"}, "value_layer: got '10', expected an integer"),
        ({"measured_seeds": 0}, "measured_seeds: got 0, expected 1 or more"),
        ({"lpips": "squeze"}, "lpips: got 'squeze', expected squeeze or alex or vgg; did you mean"),
        ({"fit": {"steps": 3}}, "fit: got {'steps': 3}, expected FitSettings"),
    ],
)
def test_settings_that_make_no_sense(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(RewriteError) as caught:
        RewriteSettings(**changes)
    assert str(caught.value).startswith(message)


def test_types_of_a_fit_are_checked() -> None:
    for wrong in ({"steps": 3.0}, {"lr": "0.1"}, {"preserve_outside_match": 1}, {"seed": -1}):
        with pytest.raises(RewriteError, match=f"^{next(iter(wrong))}: got "):
            FitSettings(**wrong)  # type: ignore[arg-type]


def test_what_is_given_is_kept_when_the_rest_is_settled() -> None:
    given = FitSettings(solver="keys", steps=5, preserve_weight=0.0)
    settled = given.resolved(keyed=True, layers=4, area=0.9)
    assert (settled.solver, settled.steps, settled.preserve_weight) == ("keys", 5, 0.0)
    assert (settled.lr, settled.preserve_batch) == (0.02, 4)
    assert settled.resolved(keyed=False, layers=1) == settled


def test_settings_are_changed_by_dotted_name() -> None:
    changed = RewriteSettings().changed({"rule.align": "feature", "fit.steps": 7, "lpips": "vgg"})
    assert changed == RewriteSettings(RuleSettings("feature"), FitSettings(steps=7), lpips="vgg")
    assert RewriteSettings().changed({}) == RewriteSettings()


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("fit.stepz", "did you mean 'fit.steps'?"),
        ("value_layers", "did you mean 'value_layer'?"),
        ("fit", "did you mean 'fit.lr'?"),
        ("xyzzy", "known are rule.align, rule.scale,"),
    ],
)
def test_a_setting_that_does_not_exist(name: str, remedy: str) -> None:
    with pytest.raises(RewriteError) as caught:
        RewriteSettings().changed({name: 1})
    assert str(caught.value).startswith(f"unknown setting '{name}'; {remedy}")

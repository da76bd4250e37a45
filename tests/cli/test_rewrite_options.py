"""`regen.cli.rewrite_options`: settings among the options, and who decides."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from regen.cli.rewrite_options import merged_settings, setting_options, with_options
from regen.edits.schema import Edits, Weights
from regen.rewriting.settings import NAMES
from regen.rewriting.usual_steps import usual_steps


def parsed(*words: str) -> dict[str, Any]:
    """What a command with these options is called with."""
    called: list[dict[str, Any]] = []

    @click.command()
    @setting_options
    def command(**options: Any) -> None:
        called.append(options)

    result = CliRunner().invoke(command, words, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return called[0]


def test_nothing_given_leaves_everything_to_others() -> None:
    options = parsed()
    assert set(options.values()) == {None}
    edits = Edits((), weights=Weights(new=5.0), memory_layers=2)
    assert with_options(edits, options) == edits
    said_by = merged_settings(edits, None, "default", options).said_by
    assert {name for name in NAMES if said_by[name] == "edits file"} == {
        *("fit.weight_new", "memory_layers")
    }


@pytest.mark.parametrize(
    ("words", "name", "value"),
    [
        (("--steps", "7"), "fit.steps", 7),
        (("--no-preserve-outside-match",), "fit.preserve_outside_match", False),
        (("--feather", "2.5"), "rule.feather_px", 2.5),
        (("--seeds", "9"), "measured_seeds", 9),
        (("--value-layer", "8"), "value_layer", 8),
    ],
)
def test_an_option_is_one_setting(words: tuple[str, ...], name: str, value: object) -> None:
    merged = merged_settings(Edits(()), None, "default", parsed(*words))
    assert [one for one, who in merged.said_by.items() if who == "command line"] == [name]
    part, _, last = name.rpartition(".")
    assert getattr(getattr(merged.settings, part) if part else merged.settings, last) == value


def test_the_order_is_options_edits_config_preset(tmp_path: Path) -> None:
    config = tmp_path / "settings.json"
    config.write_text(
        json.dumps({"fit": {"weight_new": 1.0, "weight_old": 1.0, "steps": 1, "border": 0.3}})
    )
    edits = Edits((), weights=Weights(new=2.0, old=2.0))
    merged = merged_settings(edits, config, "paper", parsed("--weights-new", "3"))
    fit = merged.settings.fit
    assert (fit.weight_new, fit.weight_old, fit.steps, fit.border) == (3.0, 2.0, 1, 0.3)
    assert merged.said_by["fit.solver"] == "preset paper" and fit.solver == "adam"


def test_edits_keep_what_an_edits_file_can_say() -> None:
    edits = Edits((), weights=Weights(new=2.0, old=3.0))
    changed = with_options(edits, parsed("--weights-old", "1", "--feather", "4", "--steps", "9"))
    assert (changed.weights, changed.feather) == (Weights(new=2.0, old=1.0), 4.0)


def test_the_help_of_steps_says_what_is_taken() -> None:
    command = setting_options(click.Command("rewrite", callback=lambda **_: None))
    (option,) = (p for p in command.params if isinstance(p, click.Option) and p.name == "steps")
    text = option.help or ""
    assert f"default {usual_steps('adam', 3, 0.0).steps} on the weights" in text
    assert f"{usual_steps('keys', 1, 0.0).steps} L along the rule's keys" in text
    assert f"{usual_steps('both', 3, 0.0).steps} L / 3 from the closed form on" in text
    assert f"{usual_steps('both', 4, 0.0).steps // 4} L for more than three" in text

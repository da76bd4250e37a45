"""`regen.rewriting.precedence`: who says which setting."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from regen.edits.schema import Edits, Weights
from regen.errors import RewriteError
from regen.rewriting.precedence import (
    COMMAND_LINE,
    EDITS_FILE,
    RECORDS,
    Merged,
    PartialSettings,
    merge,
    merge_caller,
    read_settings,
    settings_of_caller,
    settings_of_edits,
    settings_of_preset,
)
from regen.rewriting.presets import PRESETS, preset
from regen.rewriting.settings import (
    NAMES,
    FitSettings,
    RewriteSettings,
    RuleSettings,
)


@pytest.fixture
def config(tmp_path: Path) -> Any:
    def write(content: object) -> Path:
        path = tmp_path / "settings.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    return write


def test_the_order_is_command_line_edits_config_preset_default(config: Any) -> None:
    path = config({"fit": {"steps": 3, "weight_old": 3, "lr": 0.3, "preserve": 3}})
    edits = Edits((), weights=Weights(new=2.0, old=2.0))
    merged = merge(
        [
            PartialSettings(COMMAND_LINE, {"fit.weight_new": 1.0}),
            settings_of_edits(edits),
            read_settings(path),
            settings_of_preset("paper"),
        ]
    )
    fit, said_by = merged.settings.fit, merged.said_by
    assert (fit.weight_new, said_by["fit.weight_new"]) == (1.0, "command line")
    assert (fit.weight_old, said_by["fit.weight_old"]) == (2.0, "edits file")
    assert (fit.preserve, said_by["fit.preserve"]) == (3, str(path))
    assert (fit.recall, said_by["fit.recall"]) == ("value", "preset paper")
    assert (fit.match_area, said_by["fit.match_area"]) == (1.7, "default")
    assert set(said_by) == set(NAMES)


def test_what_nobody_says_is_the_default() -> None:
    merged = merge([])
    assert merged.settings == RewriteSettings()
    assert set(merged.said_by.values()) == {"default"}


def test_edits_that_say_nothing_change_nothing() -> None:
    given = RewriteSettings(
        rule=RuleSettings(align="feature", scale="stretch"),
        fit=FitSettings(weight_new=99, weight_old=1),
    )
    kept = given.changed(settings_of_edits(Edits(edits=())).values)
    assert (kept.rule.align, kept.rule.scale) == ("feature", "stretch")
    assert (kept.fit.weight_new, kept.fit.weight_old) == (99, 1)
    assert kept == given


def test_what_edits_say_counts_and_nothing_else() -> None:
    edits = Edits(
        (), weights=Weights(new=5.0), align="feature", feather=0.0, value_layer=8, memory_layers=1
    )
    assert settings_of_edits(edits).values == {
        "fit.weight_new": 5.0,
        "rule.align": "feature",
        "rule.feather_px": 0.0,
        "value_layer": 8,
        "memory_layers": 1,
    }
    made = RewriteSettings(fit=FitSettings(weight_old=2.0)).changed(settings_of_edits(edits).values)
    assert made == RewriteSettings(
        RuleSettings(align="feature", feather_px=0.0),
        FitSettings(weight_new=5.0, weight_old=2.0),
        memory_layers=1,
        value_layer=8,
    )


def test_merging_a_preset_alone_gives_the_preset() -> None:
    for name in PRESETS:
        assert merge([settings_of_preset(name)]).settings == preset(name)
    assert settings_of_preset("default").values == {}


def test_the_preset_of_the_paper_has_its_layers() -> None:
    values = settings_of_preset("paper").values
    assert (values["value_layer"], values["memory_layers"]) == (10, 2)
    with pytest.raises(RewriteError, match="did you mean 'paper'"):
        settings_of_preset("papr")


def test_what_a_caller_says_is_below_the_edits() -> None:
    given = RewriteSettings(RuleSettings(scale="stretch"), FitSettings(weight_new=7.0))
    assert settings_of_caller(given).values == {"rule.scale": "stretch", "fit.weight_new": 7.0}
    edits = Edits((), weights=Weights(new=2.0), value_layer=8)
    merged = merge_caller(given, edits)
    assert merged.settings == given.changed(settings_of_edits(edits).values)
    said_by = {name: who for name, who in merged.said_by.items() if who != "default"}
    assert said_by == {
        "rule.scale": "caller",
        "fit.weight_new": "edits file",
        "value_layer": "edits file",
    }


def test_merged_settings_count_as_they_are() -> None:
    merged = merge([PartialSettings(COMMAND_LINE, {"fit.weight_new": 1.0})])
    assert merge_caller(merged, Edits((), weights=Weights(new=2.0))) is merged


def test_what_is_found_out_later_takes_the_place_of_what_was_said() -> None:
    merged = merge([PartialSettings("a", {"value_layer": 8, "lpips": "vgg"})])
    later = merged.overridden(PartialSettings("projector", {"value_layer": 10}))
    assert (later.settings.value_layer, later.said_by["value_layer"]) == (10, "projector")
    assert (later.settings.lpips, later.said_by["lpips"]) == ("vgg", "a")
    assert isinstance(later, Merged) and merged.settings.value_layer == 8


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (COMMAND_LINE, "align: got 1"),
        ("family rfr", "align: got 1"),
        (EDITS_FILE, "e.json: align: got 1"),
        ("in/settings.json", "in/settings.json: rule.align: got 1"),
        ("preset paper", "preset paper: rule.align: got 1"),
    ],
)
def test_what_is_wrong_with_a_setting_is_told_with_the_file_that_gives_it(
    source: str, message: str
) -> None:
    merged = merge([PartialSettings(source, {"rule.align": "feature"})])
    edits = Edits((), file="e.json")
    with pytest.raises(RewriteError, match=f"^{message}$"), merged.naming("rule.align", edits):
        raise RewriteError("align", got=1)
    with pytest.raises(RewriteError, match="^lr: got 1$"), merged.naming("fit.lr", edits):
        raise RewriteError("lr", got=1)


def test_settings_of_a_run_folder_are_read(config: Any) -> None:
    made = RewriteSettings(
        RuleSettings("feature"),
        FitSettings(steps=7, lr=0.1, preserve_weight=2.0, preserve_batch=3),
        value_layer=8,
        measured_seeds=5,
    )
    records = {
        "edits": {"version": 1},
        "images": "in",
        "layer_choice": {"trials": []},
        "said_by": {"lpips": "x"},
    }
    assert set(records) == set(RECORDS)
    partial = read_settings(config({**asdict(made), **records}))
    assert merge([partial]).settings == made
    assert set(partial.values) == set(NAMES)


def test_null_is_not_said(config: Any) -> None:
    partial = read_settings(config({"value_layer": None, "fit": {"steps": None, "lr": 0.1}}))
    assert partial.values == {"fit.lr": 0.1}


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ({"fit": {"stepz": 3}}, "unknown setting 'fit.stepz'; did you mean 'fit.steps'?"),
        ({"memory_layer": 3}, "unknown setting 'memory_layer'; did you mean 'memory_layers'?"),
        ({"edit": {}}, "unknown setting 'edit'; known are rule.align, rule.scale"),
        ({"fit": {"steps": "3"}}, "fit.steps: got '3', expected an integer"),
        ({"fit": {"steps": 0}}, "fit.steps: got 0, expected 1 or more"),
        ({"rule": {"align": "imgae"}}, "rule.align: got 'imgae', expected image or feature; did"),
        ({"fit": 3}, "fit: got 3, expected an object {...}"),
        ([1], "got [1], expected an object {...}"),
        ('{"fit": {"lr": 1, "lr": 2}}', "fit: key 'lr' is written twice; remove one of them"),
    ],
)
def test_what_is_not_a_file_of_settings(config: Any, content: object, problem: str) -> None:
    path = config(content)
    with pytest.raises(RewriteError) as caught:
        read_settings(path)
    assert str(caught.value).startswith(f"{path}: {problem}")


def test_a_file_of_settings_that_cannot_be_read(config: Any, tmp_path: Path) -> None:
    with pytest.raises(RewriteError, match="none.json does not exist; check the path"):
        read_settings(tmp_path / "none.json")
    with pytest.raises(RewriteError, match="is not a file: expected settings, as JSON"):
        read_settings(tmp_path)
    with pytest.raises(RewriteError, match="is not valid JSON: .* at line 1, column 2"):
        read_settings(config("{"))


@pytest.mark.parametrize("settings", [FitSettings(), {"fit.steps": 3}, "paper"])
def test_a_part_of_the_settings_is_not_all_of_them(settings: Any) -> None:
    with pytest.raises(
        RewriteError, match="settings: got .*, expected RewriteSettings; FitSettings"
    ):
        merge_caller(settings, Edits(edits=()))

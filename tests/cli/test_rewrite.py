"""`regen rewrite` on a tiny random generator."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import PIL.Image
import pytest
import torch
from click.testing import CliRunner

from regen.cli import main
from regen.generators.registry import open_generator
from regen.rewriting.presets import preset
from regen.rewriting.preview import preview
from regen.rewriting.resolve import resolve
from regen.rewriting.rewrite import Rewrite, rewritten

QUICK = ("--steps", "4", "--preserve", "4", "--seeds", "3", "--precision", "fp32")
RUN = ("rewrite", "--edits", "edits.json", "--device", "cpu")


def settings(world: Any, folder: str = "out") -> dict[str, Any]:
    return dict(json.loads((world.folder / folder / "settings.json").read_text()))


def test_the_run_folder(world: Any) -> None:
    result = world.run(*RUN, *QUICK, "-o", "out")
    assert result.exit_code == 0 and result.stderr == ""
    events = [name for name in world.left() if name.startswith("events.out.tfevents.")]
    assert len(events) == 1
    assert sorted(set(world.left()) - set(events)) == [
        *("before_after.png", "edits.json", "metrics.json"),
        *("report.html", "rewrite.safetensors", "settings.json"),
    ]


def test_the_metrics(world: Any) -> None:
    assert world.run(*RUN, *QUICK, "-o", "out").exit_code == 0
    metrics = json.loads((world.folder / "out" / "metrics.json").read_text())
    assert metrics["seeds"] == 3
    parts = {"load", "project", "key moments", "fit", "measure", "report", "total"}
    assert parts == set(metrics["seconds"])
    assert metrics["peak_memory_mb"] > 0
    assert metrics["lpips"]["backbone"] == "squeeze" and metrics["lpips"]["resolution"] == 32
    assert metrics["region_source"] == "similarity" and metrics["oracle"] is None
    for place in ("inside", "outside"):
        assert metrics[place]["lpips"] > 0 and metrics[place]["l1"] > 0


def test_without_the_weights_of_a_large_backbone_lpips_is_null(world: Any) -> None:
    result = world.run(*RUN, *QUICK, "--lpips", "vgg", "-o", "out")
    assert (
        result.exit_code == 0 and "Changed inside the region: LPIPS unknown, L1 " in result.stdout
    )
    metrics = json.loads((world.folder / "out" / "metrics.json").read_text())
    assert metrics["lpips"]["backbone"] is None
    assert "its weights are not in torch's cache" in metrics["lpips"]["unavailable"]
    assert metrics["inside"]["lpips"] is None and metrics["inside"]["l1"] > 0


def test_the_summary(world: Any) -> None:
    lines = world.run(*RUN, *QUICK, "-o", "out").stdout.splitlines()
    metrics = json.loads((world.folder / "out" / "metrics.json").read_text())
    assert lines[0] == "Report: out/report.html"
    for line, part in zip(lines[1:3], ("inside", "outside"), strict=True):
        found = metrics[part]
        numbers = f"LPIPS {found['lpips']:.4f}, L1 {found['l1']:.4f}"
        assert line == f"Changed {part} the region: {numbers}"
    assert lines[3] == metrics["verdict"]["text"] and lines[3].startswith("The rule ")
    assert lines[4].startswith("Took ") and lines[4].endswith(" MB of memory")
    assert lines[5] == (
        f"Use it: regen generate --generator {world.folder}/g.safetensors "
        "--rewrite out/rewrite.safetensors --seeds 0-63 -o out/sheet"
    )


def test_the_line_of_the_summary_can_be_run(world: Any) -> None:
    words = world.run(*RUN, *QUICK, "-o", "out").stdout.split("Use it: regen ")[1].split()
    assert world.run(*words).exit_code == 0
    assert (world.folder / "out" / "sheet" / "grid.png").is_file()


@pytest.mark.filterwarnings("default::regen.rewriting.resolve.NoProjectorWarning")
def test_without_a_projector_it_works_and_says_what_one_would_add(world: Any) -> None:
    world.edits(lambda content: (content.pop("projector"), content.pop("value_layer")))
    result = world.run(*RUN, *QUICK, "-o", "out")
    assert result.exit_code == 0
    assert result.stderr == (
        f"Note: no projector is known for {world.folder}/g.safetensors at value layer 7; the "
        "rule is learned from images alone. A projector would give values to learn from as well, "
        "and project any image; `regen train-projector` makes one\n"
    )
    assert settings(world)["value_layer"] == 7
    report = (world.folder / "out" / "report.html").read_text()
    assert "The generator has no projector for this value layer" in report
    assert "pasted into the target" in report and "decoded from its features" not in report


def test_by_default_the_folder_is_named_after_the_edits(world: Any) -> None:
    assert world.run(*RUN, *QUICK).exit_code == 0
    assert "rewrite.safetensors" in world.left("out/edits")


@pytest.mark.parametrize("name", ["default", "paper"])
def test_equal_inputs_give_the_same_bytes(world: Any, name: str) -> None:
    for state, folder in enumerate(("one", "two")):
        torch.manual_seed(state)  # nothing may depend on it
        assert world.run(*RUN, *QUICK, "--preset", name, "-o", folder).exit_code == 0
    one, two = (world.folder / name / "rewrite.safetensors" for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()


def test_another_seed_gives_another_rewrite(world: Any) -> None:
    few = ("--steps", "4", "--preserve", "16", "--seeds", "1")
    for seed in ("0", "1"):
        assert world.run(*RUN, *few, "--seed", seed, "-o", seed).exit_code == 0
    one, two = (Rewrite.load(world.folder / name / "rewrite.safetensors") for name in "01")
    assert any(not torch.equal(one.deltas[name], two.deltas[name]) for name in one.deltas)


def test_the_rewrite_belongs_to_the_generator_and_leaves_it_as_it_was(world: Any) -> None:
    assert world.run(*RUN, *QUICK, "-o", "out").exit_code == 0
    generator = open_generator(world.folder / "g.safetensors")
    digest = generator.digest()
    rewrite = Rewrite.load(world.folder / "out" / "rewrite.safetensors")
    assert rewrite.base == digest
    with rewritten(generator, rewrite):
        assert generator.digest() != digest
    assert generator.digest() == digest


def test_what_is_not_given_comes_from_the_preset(world: Any) -> None:
    assert world.run(*RUN, *QUICK, "--preset", "paper", "-o", "out").exit_code == 0
    made = settings(world)
    assert (made["fit"]["steps"], made["fit"]["preserve"]) == (4, 4)
    assert (made["fit"]["recall"], made["fit"]["preserve_outside_match"]) == ("value", False)
    assert made["rule"]["paste"] == "features"


def test_options_take_the_place_of_preset_and_edits(world: Any) -> None:
    world.edits(lambda content: content.update(weights={"new": 5, "old": 2}, feather=3))
    options = ("--weights-new", "7", "--feather", "0.5", "--align", "feature", "--scale", "stretch")
    options += (
        "--recall",
        "value",
        "--no-preserve-outside-match",
        "--memory-layers",
        "1",
        "--lr",
        "0.01",
    )
    options += (
        "--shape",
        "exemplar",
        "--blend",
        "gain",
        "--paste",
        "features",
        "--image-weight",
        "1.5",
        "--preserve-weight",
        "0.5",
    )
    assert world.run(*RUN, *QUICK, *options, "-o", "out").exit_code == 0
    made = settings(world)
    fit, rule = made["fit"], made["rule"]
    assert (fit["weight_new"], fit["weight_old"], fit["lr"]) == (7, 2, 0.01)
    assert (fit["recall"], fit["preserve_outside_match"], fit["image_weight"]) == (
        "value",
        False,
        1.5,
    )
    assert rule == {
        "align": "feature",
        "scale": "stretch",
        "paste": "features",
        "feather_px": 0.5,
        "shape": "exemplar",
        "blend": "gain",
    }
    assert (made["memory_layers"], made["measured_seeds"]) == (1, 3)


def test_a_setting_is_taken_from_the_first_that_says_it(world: Any) -> None:
    world.edits(lambda content: content.update(weights={"old": 2}, scale="stretch"))
    config = {"fit": {"weight_old": 3, "weight_new": 3, "lr": 0.03, "steps": 9}, "lpips": "alex"}
    (world.folder / "s.json").write_text(json.dumps(config))
    words = ("--config", "s.json", "--preset", "paper", "--weights-new", "5")
    assert world.run(*RUN, *QUICK, *words, "-o", "out").exit_code == 0
    made = settings(world)
    fit, said_by = made["fit"], made["said_by"]
    assert (fit["weight_new"], fit["weight_old"], fit["lr"], fit["steps"]) == (5, 2, 0.03, 4)
    assert (fit["recall"], made["rule"]["align"]) == ("value", "feature")
    assert {name: said_by[name] for name in list(said_by) if said_by[name] != "default"} == {
        **dict.fromkeys(("fit.weight_new", "fit.steps", "fit.preserve"), "command line"),
        **dict.fromkeys(("fit.precision", "measured_seeds"), "command line"),
        **dict.fromkeys(("fit.weight_old", "rule.scale"), "edits file"),
        **dict.fromkeys(("value_layer", "memory_layers"), "edits file"),
        **dict.fromkeys(("fit.lr", "lpips"), "s.json"),
        **dict.fromkeys(("rule.align", "rule.paste", "rule.feather_px"), "preset paper"),
        **dict.fromkeys(("fit.solver", "fit.recall", "fit.border"), "preset paper"),
        **dict.fromkeys(("fit.image_weight", "fit.structure_weight"), "preset paper"),
        **dict.fromkeys(("fit.preserve_outside_match", "fit.crops"), "preset paper"),
    }
    page = (world.folder / "out" / "report.html").read_text()
    assert '<th scope="col">from</th>' in page
    row = '<tr><th scope="row"><code>fit.lr</code></th><td>0.03</td><td>s.json</td></tr>'
    assert row in page and "said_by" not in page


def test_the_settings_of_a_run_folder_repeat_it(world: Any) -> None:
    words = ("--preset", "paper", "--weights-new", "7", "--seed", "3")
    assert world.run(*RUN, *QUICK, *words, "-o", "out").exit_code == 0
    again = ("rewrite", "--edits", "out/edits.json", "--config", "out/settings.json")
    assert world.run(*again, "--device", "cpu", "-o", "again").exit_code == 0
    one, two = (world.folder / name / "rewrite.safetensors" for name in ("out", "again"))
    assert one.read_bytes() == two.read_bytes()
    first, second = settings(world), settings(world, "again")
    assert first.pop("said_by")["fit.weight_new"] == "command line"
    assert second.pop("said_by")["fit.weight_new"] == "edits file"
    del first["edits"], second["edits"]  # the first names its image, the second holds it
    assert first == second


def test_the_value_layer_of_the_preset_gives_way_to_a_projector(world: Any) -> None:
    world.edits(lambda content: content.pop("value_layer"))
    assert world.run(*RUN, *QUICK, "--preset", "paper", "-o", "out").exit_code == 0
    made = settings(world)
    assert (made["value_layer"], made["said_by"]["value_layer"]) == (5, "projector")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"fit": {"stepz": 3}}', "s.json: unknown setting 'fit.stepz'; did you mean 'fit.steps'?"),
        ('{"fit": {"steps": 2.5}}', "s.json: fit.steps: got 2.5, expected an integer"),
        ("{", "s.json is not valid JSON: Expecting property name enclosed in double quotes at "),
        (None, "s.json does not exist; check the path"),
    ],
)
def test_a_config_that_makes_no_sense(world: Any, content: str | None, message: str) -> None:
    if content is not None:
        (world.folder / "s.json").write_text(content)
    result = world.run(*RUN, "--config", "s.json", "-o", "out")
    assert result.exit_code == 2 and world.left() == []
    assert result.stderr.startswith(f"Error: {message}") and result.stderr.count("\n") == 1


def test_generator_and_projector_take_the_place_of_the_edits(world: Any) -> None:
    words = ("--generator", "other.safetensors", "--projector", "other_p.safetensors")
    assert world.run(*RUN, *QUICK, *words, "-o", "out").exit_code == 0
    rewrite = Rewrite.load(world.folder / "out" / "rewrite.safetensors")
    assert rewrite.base == open_generator(world.folder / "other.safetensors").digest()


def test_the_edits_in_the_run_folder_are_enough_to_repeat_it(world: Any) -> None:
    assert world.run(*RUN, *QUICK, "-o", "out").exit_code == 0
    (world.folder / "cat.png").unlink()
    again = ("rewrite", "--edits", "out/edits.json", "--device", "cpu", *QUICK, "-o", "again")
    assert world.run(*again).exit_code == 0
    one, two = (world.folder / name / "rewrite.safetensors" for name in ("out", "again"))
    assert one.read_bytes() == two.read_bytes()


def test_the_closed_form_is_a_solver(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("regen.rewriting.moment_cache.SAMPLES", 4)
    for solver in ("closed-form", "both"):
        result = world.run(*RUN, *QUICK, "--solver", solver, "-o", solver)
        assert result.exit_code == 0
        assert settings(world, solver)["fit"]["solver"] == solver
    assert len(list((world.folder / "g.keys").iterdir())) == 2
    metrics = json.loads((world.folder / "both" / "metrics.json").read_text())
    assert "key moments" in metrics["seconds"]


def test_layers_are_tried_and_the_choice_is_reported(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from regen.rewriting import layer_choice

    for name, value in (("STEPS", 2), ("PRESERVED_SAMPLES", 2), ("UNSEEN_SAMPLES", 2)):
        monkeypatch.setattr(layer_choice, name, value)
    monkeypatch.setattr("regen.rewriting.moment_cache.SAMPLES", 4)
    result = world.run(*RUN, *QUICK, "--value-layer", "auto", "-o", "out")
    assert result.exit_code == 0
    first, *others = result.stdout.splitlines()
    assert first.startswith("Trying value layers and lengths of the memory by short fits, 1 in all")
    assert first.endswith(", about 5 s here by a rough estimate")
    assert "Value layer 5 with a memory of 2, the best of 1 tried" in others
    made = settings(world)
    assert (made["value_layer"], made["memory_layers"]) == (5, 2)
    assert made["said_by"]["value_layer"] == "trials of value layers"
    assert [trial["value_layer"] for trial in made["layer_choice"]["trials"]] == [5]
    page = (world.folder / "out" / "report.html").read_text()
    assert "<h2>Which layer</h2>" in page and "layers 1, 2, 3, 4, 6, 7" in page


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ("--projector", "p.safetensors", "--projector", "other_p.safetensors"),
            "Error: Several --projector need --value-layer auto, to choose from them.",
        ),
        (("--value-layer", "0"), "0 is not in the range x>=1, or auto."),
        (("--value-layer", "last"), "'last' is not a valid integer range, or auto."),
    ],
)
def test_layers_that_do_not_fit_together(world: Any, words: tuple[str, ...], message: str) -> None:
    result = world.run(*RUN, *words)
    assert result.exit_code == 2 and message in result.stderr
    assert world.left() == []


def test_what_is_sent_to_others_does_not_say_where_it_was_made(world: Any) -> None:
    """No folders in the report, no metadata in edits.json; names do nothing to a terminal."""
    exif = PIL.Image.Exif()
    exif[0x010E] = "SECRET"
    with PIL.Image.open(world.folder / "cat.png") as image:
        image.convert("RGB").save(world.folder / "my \u202ecat.jpg", exif=exif, comment=b"SECRET")
    world.edits(lambda content: content["edits"][0].update(exemplar="my \u202ecat.jpg"))
    words = ("--edits", world.folder / "edits.json", "--steps", "1", "--preserve", "0")
    result = world.run("rewrite", *words, "--seeds", "1", "-o", world.folder / "out")
    assert result.exit_code == 0
    page = (world.folder / "out" / "report.html").read_text()
    assert str(world.folder) not in page and "\u202e" not in page and "my \\u202ecat.jpg" in page
    text = (world.folder / "out" / "edits.json").read_text()
    uri = json.loads(text)["edits"][0]["exemplar"]
    data = base64.b64decode(uri.split(",")[1])
    assert b"SECRET" not in data and data.startswith(b"\xff\xd8\xff\xe0")


def test_a_pasted_exemplar_is_named_a_pseudo_oracle(world: Any) -> None:
    world.edits(lambda content: content.update(oracle={"paste": True}))
    result = world.run(*RUN, *QUICK, "-o", "out")
    assert result.exit_code == 0 and result.stdout.count("\n  to the pseudo-oracle: LPIPS ") == 2
    metrics = json.loads((world.folder / "out" / "metrics.json").read_text())
    assert (metrics["oracle_source"], metrics["region_source"]) == ("paste", "paste")
    found = metrics["oracle"]  # outside of a soft edge the pasted sample is the sample itself
    assert found["outside_before"]["l1"] < 0.05 * found["inside_before"]["l1"]
    page = (world.folder / "out" / "report.html").read_text()
    assert "The oracle is a pseudo-oracle: the exemplar pasted into every sample" in page
    assert "Distance to the pseudo-oracle, inside" in page


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--seeds", "10001"), "samples to measure a rewrite on: got 10001, expected at most 1000"),
        (("--preserve", "1000001"), "samples that a rewrite must leave unchanged: got 1000001, ex"),
    ],
)
def test_more_samples_than_there_are_leave_an_earlier_result(
    world: Any, options: tuple[str, ...], message: str
) -> None:
    assert world.run(*RUN, *QUICK, "-o", "out").exit_code == 0
    before = {name: (world.folder / "out" / name).read_bytes() for name in world.left()}
    result = world.run(*RUN, *QUICK, *options, "-o", "out")
    assert result.exit_code == 2 and result.stderr.startswith(f"Error: {message}")
    after = {name: (world.folder / "out" / name).read_bytes() for name in world.left()}
    assert after == before


def test_the_edits_file_of_the_help_can_be_pasted(tmp_path: Path) -> None:
    shown = CliRunner().invoke(main, ["rewrite", "--help"]).stdout
    start = shown.index('{"version"')
    path = tmp_path / "edits.json"
    path.write_text(shown[start : shown.index("]}\n", start) + 2], encoding="utf-8")
    task = resolve(path, settings=preset("default"))
    assert len(task.examples) == 1
    assert preview(task).cautions == []

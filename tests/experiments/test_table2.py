from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from torch import Tensor

import experiments.tables.rewrite_bench as rewrite_bench
import experiments.tables.rewrite_table as rewrite_table
from experiments.table2_rewrite import main
from experiments.tables.rewrite_bench import Bench
from experiments.tables.rewrite_measures import Reference, measure_images
from experiments.tables.rewrite_rows import (
    Method,
    Table2Settings,
    Tuned,
    even_weights,
    methods,
    with_edits,
)
from experiments.tables.rewrite_scenes import (
    Scene,
    ordered_scenes,
    portraits_scene,
    scene_of_file,
)
from experiments.tables.rewrite_table import Table2
from experiments.tables.rewrite_tuning import (
    grid_methods,
    grid_size,
    tune,
    tuning_note,
    tuning_scenes,
)
from experiments.tables.rows import TABLE2_METRICS, Measured
from regen import open_generator, read_edits
from regen.edits.schema import Edits, Weights
from regen.generators.protocol import Generator
from regen.generators.stylegan2.generator import StyleGAN2
from regen.generators.stylegan2.source import StyleSample
from regen.rewriting.presets import preset
from regen.rewriting.resolve import NoProjectorWarning, resolve
from regen.rewriting.task import Task

ROWS = "memory2_weighted,rdgm_rank1,patch_transfer,memory2_preserve_where_similar"
CLOSED_FORM = "memory2_closed_form,memory2_closed_form_alone"


@pytest.fixture
def arguments(
    generator_file: Path, projector_file: Path, edits_file: Path, tmp_path: Path
) -> list[str]:
    return [
        *("--generator", str(generator_file), "--projector", str(projector_file), "--quick"),
        *("--edits", str(edits_file), "--rows", ROWS),
        *("--work", str(tmp_path / "work"), "-o", str(tmp_path / "out")),
    ]


def test_rows_are_those_that_were_asked_for() -> None:
    rows = {method.row: method for method in methods(Table2Settings(), {2: Tuned(40.0, 0.001)})}
    asked = """memory1_unweighted memory1_weighted memory2_unweighted memory2_weighted
        memory3_weighted rdgm_rank1 rdgm_rank10 rdgm_rank1_direct rdgm_rank10_direct
        finetune_all patch_transfer memory2_image_recall memory2_both_recall
        memory2_preserve memory2_preserve_where_similar memory2_closed_form
        memory2_closed_form_alone default"""
    assert list(rows) == asked.split()
    tuned = {row for row, m in rows.items() if m.settings.fit.lr == 0.001}
    assert tuned == {
        *("memory2_unweighted", "memory2_weighted", "finetune_all"),
        *("memory2_closed_form", "memory2_closed_form_alone"),
    }
    assert rows["memory2_weighted"].settings.fit.weight_new == 40.0
    assert rows["memory2_both_recall"].settings.fit.weight_new == Tuned().weight_new
    assert rows["memory2_weighted"].settings.fit.recall == "value"
    assert rows["memory2_weighted"].settings.fit.preserve == 0
    assert rows["default"].settings == preset("default")
    fits = {m.settings.fit.steps for m in rows.values() if m.row.startswith(("memory2_p", "fin"))}
    assert fits == {Table2Settings().steps}


def test_the_edits_file_decides_for_the_default_alone() -> None:
    scene = portraits_scene("cat_eyes", 1)
    edits = replace(scene.edits, weights=Weights(3.0, 2.0), memory_layers=1, scale="stretch")
    rows = {method.row: method for method in methods(Table2Settings(), {2: Tuned(40.0, 0.001)})}
    own, paper = (with_edits(rows[row], edits) for row in ("default", "memory2_weighted"))
    assert (own.settings.fit.weight_new, own.memory_layers) == (3.0, 1)
    assert (paper.settings.fit.weight_new, paper.memory_layers) == (40.0, 2)
    assert own.settings.rule.scale == paper.settings.rule.scale == "stretch"


@pytest.fixture
def truncated(edits_file: Path) -> Scene:
    """Two truncated targets, and a pseudo-oracle."""
    content = json.loads(edits_file.read_text())
    for target in content["edits"][0]["targets"]:
        target["truncation"] = 0.8
    edits_file.write_text(json.dumps({**content, "oracle": {"paste": True}}))
    return scene_of_file(read_edits(edits_file), edits_file)


def test_unseen_samples_have_the_truncation_of_the_targets(
    generator: StyleGAN2, projector_file: Path, truncated: Scene
) -> None:
    bench = Bench(generator)
    scene = replace(truncated, edits=replace(truncated.edits, projector=str(projector_file)))
    assert bench.samples(scene, [5]) == [StyleSample(seed=5, truncation=0.8)]
    images = torch.zeros(2, 3, 32, 32)
    wanted, inside = bench.pasted(scene, images)
    assert inside.shape == (2, 1, 32, 32) and torch.equal(wanted * inside.gt(0), wanted)


def test_an_oracle_that_has_a_name_is_asked_for_untruncated_seeds() -> None:
    scene = portraits_scene("cat_eyes", 1)
    bench = Bench(open_generator("portraits"))
    assert bench.truncation(scene) == 1
    assert bench.samples(scene, [5, 7]) == [StyleSample(seed=5), StyleSample(seed=7)]


def test_the_default_of_a_full_run_is_what_a_rewrite_does_with_the_edits_as_given(
    generator: StyleGAN2, projector_file: Path, truncated: Scene
) -> None:
    edits = replace(truncated.edits, projector=str(projector_file), memory_layers=1)
    scene = replace(truncated, edits=edits, given=truncated.edits)
    full, quick = (
        {method.row: method for method in methods(settings, {})}
        for settings in (Table2Settings(), Table2Settings().quick())
    )
    bench = Bench(generator)
    with pytest.warns(NoProjectorWarning):
        expected = resolve(truncated.edits, generator)
        task = bench.task_for(full["default"], scene)
    assert task.projector is None and task.settings == expected.settings
    assert task.split.value_layer == expected.split.value_layer != 6
    for method in (full["memory2_weighted"], quick["default"]):
        assert bench.task_for(method, scene) is bench.task(scene)
    assert bench.task(scene).split.value_layer == 6


def test_the_grid_changes_weight_and_step_size_of_one_memory() -> None:
    settings = Table2Settings(grid=(1.0, 10.0), step_sizes=(0.02, 0.001))
    found = grid_methods(settings, 3)
    points = [(1.0, 0.02), (1.0, 0.001), (10.0, 0.02), (10.0, 0.001)]
    assert [(point.weight_new, point.lr) for point, _ in found] == points
    assert [(m.settings.fit.weight_new, m.settings.fit.lr) for _, m in found] == points
    assert {m.memory_layers for _, m in found} == {3}
    assert len({m.row for _, m in found}) == 4


def test_tuning_takes_the_best_mean_of_its_scenes() -> None:
    scenes = tuning_scenes(ordered_scenes(("cat_eyes", "gear_eyes", "sunglasses"), (1, 3)))
    assert [scene.name for scene in scenes] == ["cat_eyes-3", "sunglasses-3"]
    settings = Table2Settings(grid=(1.0, 10.0), step_sizes=(0.02,))
    after = {("cat_eyes", 1.0): 0.1, ("cat_eyes", 10.0): 0.2}  # the better of this scene ...
    after |= {("sunglasses", 1.0): 0.6, ("sunglasses", 10.0): 0.4}  # ... is the worse of both

    def measure(method: Method, scene: Scene) -> Measured:
        measured = Measured()
        value = after[scene.pattern, method.settings.fit.weight_new]
        measured.number("inside_lpips_after", value)
        measured.number("locality_lpips", 0.01)
        return measured

    chosen, rows = tune(settings, scenes, measure)
    assert chosen == {layers: Tuned(10.0, 0.02) for layers in (1, 2, 3)}
    assert len(rows) == grid_size(settings, scenes) == 3 * 2 * 2
    assert {row["p"] for row in rows if row["chosen"]} == {10.0}
    assert [row["score"] for row in rows[:2]] == pytest.approx([0.11, 0.61])
    assert "cat_eyes-3 and sunglasses-3" in tuning_note(settings, chosen, scenes)


def test_nothing_is_tuned_without_an_oracle() -> None:
    scene = portraits_scene("cat_eyes", 1)
    blind = replace(scene, edits=replace(scene.edits, oracle=None))
    assert tuning_scenes([blind]) == []
    assert tune(Table2Settings(), [], lambda *_: Measured()) == ({}, [])
    assert "no oracle" in tuning_note(Table2Settings(), {}, [])
    assert "nothing was chosen" in tuning_note(Table2Settings(tune=False), {}, [])


def test_unweighted_means_every_position_alike() -> None:
    fit = even_weights(preset("paper"), 0.03).fit
    assert (fit.weight_new, fit.weight_old, fit.border) == (0.03, 0.97, 0.0)


def test_a_generator_and_edits_of_ones_own(
    arguments: list[str], tmp_path: Path, empty_torch_home: Path
) -> None:
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    document = json.loads((tmp_path / "out" / "table2.json").read_text())
    assert [row["row"] for row in document["rows"]] == sorted(
        ROWS.split(","), key=[m.row for m in methods(Table2Settings(), {})].index
    )
    for row in document["rows"]:
        keys = {"row", "pattern", "targets", *TABLE2_METRICS, "intervals", "unavailable"}
        assert set(row) == keys
        assert (row["pattern"], row["targets"]) == ("noise", 2)
        assert row["inside_l1_after"] is None and "oracle" in row["unavailable"]["inside_l1_after"]
        assert row["locality_lpips"] >= 0 and row["seconds"] > 0
        low, high = row["intervals"]["locality_lpips"]
        assert low <= row["locality_lpips"] <= high
    assert document["edits"]["noise-2"]["edits"][0]["targets"][1]["seed"] == 2
    assert (tmp_path / "out" / "table2.png").is_file()
    assert "## noise, 2 targets" in (tmp_path / "out" / "table2.md").read_text()


def test_a_table_against_a_pseudo_oracle_says_so(
    arguments: list[str], truncated: Scene, tmp_path: Path, empty_torch_home: Path
) -> None:
    more = ["--rows", "memory2_weighted", "--no-tuning", "--name", "faces"]
    result = CliRunner().invoke(main, [*arguments, *more])
    assert result.exit_code == 0, result.output
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {f"faces.{ending}" for ending in ("csv", "json", "md", "png")}
    document = json.loads((tmp_path / "out" / "faces.json").read_text())
    assert document["pseudo_oracle"] == {"noise-2": "the exemplar pasted at the same place"}
    assert document["provenance"]["settings"]["truncation"] == 0.8
    assert document["generator_floor"] == {} and document["grid"] == []
    (row,) = document["rows"]
    assert row["inside_l1_before"] > 0 and row["inside_l1_after"] > 0
    text = (tmp_path / "out" / "faces.md").read_text()
    assert "the region to the pseudo-oracle" in text and "to the oracle" not in text
    assert "truncation, 0.8" in text


def test_a_full_run_says_what_the_default_is(
    generator: StyleGAN2, projector_file: Path, truncated: Scene, tmp_path: Path
) -> None:
    edits = replace(truncated.edits, projector=str(projector_file))
    scene = replace(truncated, edits=edits, given=truncated.edits)
    with pytest.warns(NoProjectorWarning):
        table = Table2(generator, [scene], Table2Settings(tune=False), tmp_path / "work")
        table.write(tmp_path)
    found = json.loads((tmp_path / "table2.json").read_text())["default"]["noise-2"]
    assert found["projector"] is None and found["fit"]["recall"] == "image"
    assert "no projector, recall on image" in (tmp_path / "table2.md").read_text()


def test_a_run_that_was_stopped_is_resumed(
    arguments: list[str], tmp_path: Path, empty_torch_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def stop_at_the_second(after: Tensor, ref: Reference) -> Measured:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return measure_images(after, ref)

    monkeypatch.setattr(rewrite_table, "measure_images", stop_at_the_second)
    assert CliRunner().invoke(main, arguments).exit_code == 130
    assert CliRunner().invoke(main, arguments).exit_code == 0
    assert len(calls) == 1 + 1 + 3  # one done, one lost, three in the second run


def test_what_a_scene_names_is_opened_once_for_all_its_rows(
    arguments: list[str], empty_torch_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def counted(edits: Edits, generator: Generator) -> Task:
        calls.append(edits)
        return resolve(edits, generator)

    monkeypatch.setattr(rewrite_bench, "resolve", counted)
    assert CliRunner().invoke(main, arguments).exit_code == 0
    assert len(calls) == 1


def test_the_projector_may_be_a_run_folder_and_comes_before_that_of_the_edits(
    arguments: list[str],
    projector_file: Path,
    edits_file: Path,
    tmp_path: Path,
    empty_torch_home: Path,
) -> None:
    folder = projector_file.parent / "run"
    folder.mkdir()
    projector_file.rename(folder / projector_file.name)
    content = json.loads(edits_file.read_text())
    edits_file.write_text(json.dumps({**content, "projector": str(edits_file)}))
    asked = [str(folder) if word == str(projector_file) else word for word in arguments]
    result = CliRunner().invoke(main, [*asked, "--rows", "memory2_weighted"])
    assert result.exit_code == 0, result.output
    document = json.loads((tmp_path / "out" / "table2.json").read_text())
    assert document["edits"]["noise-2"]["projector"] == str(folder)
    assert document["provenance"]["settings"]["value_layer"] == 6


def test_the_closed_form_takes_the_moments_of_its_generator(
    arguments: list[str], tmp_path: Path, empty_torch_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGEN_CACHE", str(tmp_path / "cache"))
    result = CliRunner().invoke(main, [*arguments, "--rows", CLOSED_FORM])
    assert result.exit_code == 0, result.output
    document = json.loads((tmp_path / "out" / "table2.json").read_text())
    assert [row["row"] for row in document["rows"]] == CLOSED_FORM.split(",")
    assert all(row["outside_l1"] > 0 for row in document["rows"])
    assert all(losses["recall_value"] > 0 for losses in document["losses"])


def test_without_lpips_nothing_crashes(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rewrite_table, "try_lpips", lambda _: (None, "no weights"))
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    rows = {
        row["row"]: row
        for row in json.loads((tmp_path / "out" / "table2.json").read_text())["rows"]
    }
    assert rows["memory2_weighted"]["locality_lpips"] is None
    assert "weights" in rows["memory2_weighted"]["unavailable"]["locality_lpips"]
    assert rows["memory2_weighted"]["outside_l1"] >= 0
    assert rows["patch_transfer"]["outside_l1"] is None


def test_a_generator_of_ones_own_needs_an_edits_file(generator_file: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["--generator", str(generator_file), "-o", str(tmp_path)])
    assert result.exit_code != 0
    assert "expected --edits FILE" in result.output

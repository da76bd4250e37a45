from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from PIL import Image

import experiments.tables.projector_table as projector_table
from experiments.table1_projector import main
from experiments.tables.projector_variants import Table1Settings, variants
from experiments.tables.real_images import real_sets
from experiments.tables.rows import TABLE1_METRICS

PAPER = ["feature_l1", "semi_cycle", "semi_cycle_adversarial"]


@pytest.fixture
def arguments(generator_file: Path, images_folder: Path, tmp_path: Path) -> Iterator[list[str]]:
    before = torch.get_rng_state()
    yield [
        *("--generator", str(generator_file), "--value-layer", "5", "--quick"),
        *("--images", str(images_folder), "--data", str(tmp_path / "none")),
        *("--work", str(tmp_path / "work"), "-o", str(tmp_path / "out")),
    ]
    torch.set_rng_state(before)


def test_rows_change_one_thing_at_a_time() -> None:
    rows = {variant.row: variant.settings for variant in variants(Table1Settings())}
    assert list(rows)[:3] == PAPER
    l1, cycle, full = (rows[name] for name in PAPER)
    assert l1.semi_cycle_l1 == l1.semi_cycle_ssim == l1.adversarial == cycle.adversarial == 0
    assert cycle.semi_cycle_l1 > 0 and full.adversarial > 0 and full.composites == 0
    for name in ("kimg", "batch", "lr", "schedule", "seed", "ema_halflife_kimg"):
        assert len({getattr(config, name) for config in rows.values()}) == 1


def test_a_generator_and_images_of_ones_own(
    arguments: list[str], tmp_path: Path, empty_torch_home: Path
) -> None:
    result = CliRunner().invoke(main, [*arguments, "--rows", "feature_l1,refine,extra_images"])
    assert result.exit_code == 0, result.output
    document = json.loads((tmp_path / "out" / "table1.json").read_text())
    rows = {row["row"]: row for row in document["rows"]}
    assert list(rows) == ["feature_l1", "extra_images", "refine"]
    assert set(rows["refine"]) == {"row", *TABLE1_METRICS, "intervals", "unavailable"}
    assert all(isinstance(rows["refine"][name], float) for name in TABLE1_METRICS)
    assert rows["refine"]["wasserstein"] > 0 and rows["refine"]["seconds"] > 0
    assert rows["extra_images"]["psnr"] is None
    assert "--extra-images" in rows["extra_images"]["unavailable"]["row"]
    assert document["images"] == {"samples": 4, "images": 3}
    assert document["provenance"]["lpips"]["backbone"] == "squeeze"
    with Image.open(tmp_path / "out" / "table1.png") as sheet:
        assert sheet.width > 300


def test_without_lpips_its_columns_are_empty_and_say_why(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(projector_table, "try_lpips", lambda _: (None, "no weights"))
    result = CliRunner().invoke(main, [*arguments, "--rows", "feature_l1"])
    assert result.exit_code == 0, result.output
    (row,) = json.loads((tmp_path / "out" / "table1.json").read_text())["rows"]
    assert row["lpips_in_domain"] is None and row["lpips_out_of_domain"] is None
    assert "weights" in row["unavailable"]["lpips_in_domain"]
    assert row["psnr"] > 0


def test_a_second_run_computes_nothing_again(
    arguments: list[str], tmp_path: Path, empty_torch_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = [*arguments, "--rows", "semi_cycle"]
    assert CliRunner().invoke(main, chosen).exit_code == 0
    first = (tmp_path / "out" / "table1.csv").read_text()
    monkeypatch.setattr(projector_table, "train_variant", None)
    result = CliRunner().invoke(main, chosen)
    assert result.exit_code == 0, result.output
    assert (tmp_path / "out" / "table1.csv").read_text() == first


def test_a_row_that_was_stopped_while_measured_is_not_trained_again(
    arguments: list[str], tmp_path: Path, empty_torch_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    chosen = [*arguments, "--rows", "semi_cycle"]
    with monkeypatch.context() as stopped:
        stopped.setattr(projector_table, "measure_projector", stop)
        result = CliRunner().invoke(main, chosen)
    assert result.exit_code == 130
    assert "the same command resumes" in result.output
    monkeypatch.setattr("regen.projector.trainer.Trainer.step", None)
    assert CliRunner().invoke(main, chosen).exit_code == 0
    (row,) = json.loads((tmp_path / "out" / "table1.json").read_text())["rows"]
    assert row["seconds"] > 0


def test_an_unknown_row_is_refused(arguments: list[str], empty_torch_home: Path) -> None:
    result = CliRunner().invoke(main, [*arguments, "--rows", "semicycle"])
    assert result.exit_code != 0
    assert "--rows: got semicycle, expected feature_l1, semi_cycle" in result.output


def test_no_subject_is_both_measured_and_trained_with(tmp_path: Path) -> None:
    folder = tmp_path / "cat_faces_128"
    folder.mkdir()
    for name in ("s1_1", "s1_2", "s2_1", "s3_1", "s4_1"):
        (folder / f"{name}.jpg").touch()
    (folder / "no_black_corner.txt").write_text("s1_1.jpg\ns2_1.jpg\ns3_1.jpg\ns4_1.jpg\n")
    sets, training = real_sets(tmp_path)
    assert [(name, [p.stem for p in files]) for name, files in sets] == [("cats", ["s1_1", "s3_1"])]
    assert [p.stem for p in training] == ["s2_1", "s4_1"]

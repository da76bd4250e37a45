from __future__ import annotations

from pathlib import Path

import pytest
import torch

from experiments.tables.resume import WorkFolder, settings_digest
from experiments.tables.rows import Measured


def test_a_finished_row_is_found_with_its_images(tmp_path: Path) -> None:
    work = WorkFolder(tmp_path)
    images = torch.tensor([-1.0, 0.0, 1.0]).reshape(1, 3, 1, 1)
    work.put("a", {"steps": 3}, {"x": 1.5}, {"after": images}, {"bins": torch.arange(3)})
    found = WorkFolder(tmp_path).find("a", {"steps": 3})
    assert found is not None
    assert found.result == {"x": 1.5}
    assert torch.allclose(found.images["after"], images, atol=1 / 127)
    assert found.arrays["bins"].tolist() == [0, 1, 2]


def test_other_settings_are_another_row(tmp_path: Path) -> None:
    work = WorkFolder(tmp_path)
    work.put("a", {"steps": 3}, {})
    assert work.find("a", {"steps": 4}) is None
    assert work.find("b", {"steps": 3}) is None


@pytest.mark.parametrize("name", ["result.json", "tensors.safetensors"])
def test_a_row_whose_file_is_missing_or_damaged_is_not_done(tmp_path: Path, name: str) -> None:
    work = WorkFolder(tmp_path)
    work.put("a", {}, {"x": 1})
    path = work.place("a", {}) / name
    path.write_bytes(path.read_bytes()[:-3])
    assert work.find("a", {}) is None
    path.unlink()
    assert work.find("a", {}) is None


def test_a_row_that_failed_while_it_was_stored_is_not_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    work = WorkFolder(tmp_path)
    monkeypatch.setattr("experiments.tables.resume.write_json", fail)
    with pytest.raises(KeyboardInterrupt):
        work.put("a", {}, {"x": 1})
    assert work.find("a", {}) is None


def test_dataclasses_among_results_come_back_as_they_were(tmp_path: Path) -> None:
    measured = Measured()
    measured.mean("psnr", torch.tensor([1.0, 2.0, 4.0]))
    measured.missing("frechet", "no oracle")
    found = WorkFolder(tmp_path).put("a", {}, {"measured": measured})
    assert Measured.from_json(found.result["measured"]) == measured


def test_the_digest_sees_every_setting_and_no_order() -> None:
    assert settings_digest({"a": (1, 2), "b": None}) == settings_digest({"b": None, "a": [1, 2]})
    assert settings_digest({"a": 1}) != settings_digest({"a": 1.5})

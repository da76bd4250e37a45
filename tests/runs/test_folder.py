"""`regen.runs.folder`: what is removed from a run folder, and who may fill it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from regen.errors import StoreError
from regen.files.folder_lock import LOCK_FILE, folder_lock
from regen.runs.folder import events_of, refuse_busy, remove_results, run_folder


def test_a_run_folder_is_made_and_locked(tmp_path: Path) -> None:
    with run_folder(tmp_path / "a" / "out") as folder:
        assert folder == tmp_path / "a" / "out"
        assert os.listdir(folder) == [LOCK_FILE]
        with pytest.raises(StoreError, match="filled by another run"), run_folder(folder):
            raise AssertionError("two runs fill one folder")
    assert os.listdir(folder) == []


def test_of_several_processes_the_first_locks_for_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with run_folder(tmp_path):
        monkeypatch.setenv("RANK", "1")
        refuse_busy(tmp_path)
        with run_folder(tmp_path) as folder:
            assert os.listdir(folder) == [LOCK_FILE]
        assert os.listdir(tmp_path) == [LOCK_FILE]


def test_a_busy_folder_is_refused_early_and_nothing_is_made(tmp_path: Path) -> None:
    refuse_busy(tmp_path / "none")
    assert not (tmp_path / "none").exists()
    refuse_busy(tmp_path)
    assert os.listdir(tmp_path) == []
    with folder_lock(tmp_path), pytest.raises(StoreError, match="filled by another run"):
        refuse_busy(tmp_path)


def test_files_are_removed_by_name_and_nothing_else(tmp_path: Path) -> None:
    mine = ["events.out.tfevents.1.host.2.0", "events.out.tfevents.1.host.2.0.other", "notes"]
    for name in [*mine, "events.out.tfevents.1.host.2.0.rewrite", "report.html"]:
        (tmp_path / name).touch()
    (tmp_path / "metrics.json").mkdir()
    remove_results(tmp_path, ["report.html", "none", "metrics.json", events_of("rewrite")])
    assert sorted(os.listdir(tmp_path)) == sorted([*mine, "metrics.json"])


def test_behind_a_link_the_file_goes(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").touch()
    (tmp_path / "report.html").symlink_to("elsewhere")
    remove_results(tmp_path, ["report.html"])
    assert os.listdir(tmp_path) == ["report.html"] and (tmp_path / "report.html").is_symlink()


def test_what_cannot_be_removed_is_one_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    (tmp_path / "report.html").touch()
    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(StoreError, match="report.html: Operation not permitted; choose a folder"):
        remove_results(tmp_path, ["report.html"])

"""Run folders and curves."""

from __future__ import annotations

import errno
import json
import math
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from regen.errors import StoreError
from regen.runs.logbook import Logbook


@dataclass(frozen=True)
class Settings:
    steps: int = 3
    folder: Path = Path("runs")
    rates: tuple[float, ...] = (0.5, math.nan)


def read_events(folder: Path) -> dict[str, list[tuple[int, float]]]:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder))
    events.Reload()
    curves = {
        tag: [(e.step, e.value) for e in events.Scalars(tag)] for tag in events.Tags()["scalars"]
    }
    return {**curves, **{tag: [] for tag in events.Tags()["images"]}}


def test_settings_are_json_beside_the_result(tmp_path: Path) -> None:
    Logbook(tmp_path / "a" / "run").settings(Settings())
    written = json.loads((tmp_path / "a" / "run" / "settings.json").read_text())
    assert written == {"steps": 3, "folder": "runs", "rates": [0.5, None]}


def test_curves_and_images_are_there_even_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), Logbook(tmp_path) as book:
        book.scalars({"loss/l1": 0.5, "loss/ssim": 2.0}, step=0)
        book.scalars({"loss/l1": 0.25}, step=10)
        book.images("samples", torch.rand(2, 3, 8, 8) * 4 - 2, step=10)
        raise KeyboardInterrupt
    found = read_events(tmp_path)
    assert found["loss/l1"] == [(0, 0.5), (10, 0.25)]
    assert found["loss/ssim"] == [(0, 2.0)]
    assert any(tag.startswith("samples") for tag in found)


def test_a_run_that_logs_nothing_writes_no_events(tmp_path: Path) -> None:
    with Logbook(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot write .*file"):
        Logbook(tmp_path / "file" / "run")


def test_a_full_disk_is_a_store_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from torch.utils.tensorboard import SummaryWriter

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(SummaryWriter, "add_scalar", full)
    with pytest.raises(StoreError) as error, Logbook(tmp_path) as book:
        book.scalars({"loss": 1.0}, step=0)
    assert str(error.value) == (
        f"cannot write TensorBoard events to {tmp_path}: No space left on device; "
        "free some space, or choose a folder on another disk"
    )


def test_the_thread_that_writes_events_prints_no_trace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from tensorboard.summary.writer.record_writer import RecordWriter

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    before = threading.excepthook
    monkeypatch.setattr(RecordWriter, "write", full)
    with pytest.raises(StoreError, match="TensorBoard events to .*: No space left on device"):  # noqa: SIM117
        with Logbook(tmp_path) as book:
            book.scalars({"loss": 1.0}, step=0)
    assert "Traceback" not in capsys.readouterr().err
    assert threading.excepthook is before


def test_a_resumed_run_hides_what_was_logged_beyond_its_checkpoint(tmp_path: Path) -> None:
    for done, loss in ((0, 1.0), (2, 5.0)):
        with Logbook(tmp_path, "train", done=done) as book:
            for step in range(done + 1, 5):
                book.scalars({"loss": loss * step}, step)
    assert read_events(tmp_path)["loss"] == [(1, 1.0), (2, 2.0), (3, 15.0), (4, 20.0)]
    assert all(path.name.endswith(".train") for path in tmp_path.iterdir())

"""What every training leaves in its folder while it runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from regen.runs import training_log
from regen.runs.training_log import TrainingLog


def log(folder: Path, *, resume: bool = False) -> TrainingLog:
    return TrainingLog(folder, "train-toys", 10, {"size": 8}, earlier=["old.png"], resume=resume)


def events(folder: Path) -> list[str]:
    return [path.name for path in folder.glob("events.out.tfevents.*")]


def test_nothing_is_written_before_a_training_has_started(tmp_path: Path) -> None:
    log(tmp_path / "run").close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("resume", [False, True])
def test_the_first_step_replaces_what_an_earlier_training_left(
    tmp_path: Path, resume: bool
) -> None:
    earlier = ["events.out.tfevents.1.host.1.0.train-toys", "old.png"]
    for name in (*earlier, "mine.png"):
        (tmp_path / name).touch()
    watching = log(tmp_path, resume=resume)
    watching.count(4)
    watching.close()
    assert json.loads((tmp_path / "settings.json").read_text()) == {"size": 8}
    kept = [name for name in (*earlier, "mine.png") if (tmp_path / name).exists()]
    assert kept == ([*earlier, "mine.png"] if resume else ["mine.png"])


def test_reports_go_into_the_logbook(tmp_path: Path) -> None:
    watching = log(tmp_path)
    watching.add({"loss": 0.5}, 2)
    watching.close()
    assert watching.scalars == {"loss": 0.5} and len(events(tmp_path)) == 1


def test_progress_goes_on_from_the_step_that_was_resumed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[tuple[int, str, int]] = []
    plain = training_log.Progress

    def noted(total: int, label: str, *, done: int) -> training_log.Progress:
        made.append((total, label, done))
        return plain(total, label, done=done)

    monkeypatch.setattr(training_log, "Progress", noted)
    watching = log(tmp_path, resume=True)
    for done in (7, 8):
        watching.count(done)
    watching.close()
    assert made == [(10, "training the toys", 6)]

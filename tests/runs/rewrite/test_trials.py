"""`regen.runs.rewrite.trials`: what is said and shown while value layers are tried."""

from __future__ import annotations

import io
import itertools
from contextlib import redirect_stderr

import pytest
import tqdm.std

from regen.runs.rewrite.trials import ShownTrials


@pytest.mark.parametrize(
    ("seconds", "end"), [(None, "5 in all"), (231.0, "5 in all, about 4 minutes here by a rough ")]
)
def test_it_is_said_how_many_are_tried_and_for_how_long(seconds: float | None, end: str) -> None:
    said: list[str] = []
    ShownTrials(said.append).begin(5, seconds)
    (line,) = said
    assert f"by short fits, {end}" in line


def test_each_trial_has_a_bar_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REGEN_PROGRESS")
    now = itertools.count(0.0, 20.0)
    monkeypatch.setattr(tqdm.std, "time", lambda: next(now))
    with redirect_stderr(io.StringIO()) as log, ShownTrials(lambda _: None) as trials:
        for number, length in ((1, 2), (2, 3)):
            trials.trial(number, 2, 13, length)
            for done in (1, 2):
                trials.step(done, 2)
    lines = log.getvalue().splitlines()
    for number, length in ((1, 2), (2, 3)):
        label = f"trying {number} of 2 (value layer 13, memory of {length})"
        shown = [line for line in lines if line.startswith(label)]
        assert shown[0].startswith(f"{label}: 1/2 ") and shown[-1].startswith(f"{label}: 2/2 ")

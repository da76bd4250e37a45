"""When threads sleep instead of spinning, and that nothing else changes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import torch

from regen import threads
from regen.threads import SleepingTeams, Watch, sleep_beside_others, teams_needed
from tests.helpers.processes import HANGING_SECONDS

# Prints the number of threads of a process before, while and after teams are held, and whether a
# reduction that two threads share gives the same bits.
PROGRAM = """
import os, time, torch
from regen.threads import SleepingTeams
torch.set_num_threads(2)
x = torch.randn(1 << 20, generator=torch.Generator().manual_seed(0))
def count():
    return len(os.listdir("/proc/self/task"))
def count_when(fewest):  # a thread that has ended is still listed for a moment
    while count() > fewest:
        time.sleep(0.01)
    return count()
sums, teams = [x.sum()], SleepingTeams()
counts = [count()]
for _ in range(2):
    teams.hold()
    teams.wait_until_held()
    sums.append(x.sum())
    counts.append(count())
    teams.release()
    counts.append(count_when(counts[0]))
print(counts, len({float(s) for s in sums}))
"""

# Ends while threads sleep; what is registered first is called last.
ENDING = """
import atexit, threading, time, torch
from regen import threads
def left():
    print(busy, [thread.name for thread in threading.enumerate()])
atexit.register(left)
torch.set_num_threads(2)
threads._LOOK_EVERY_SECONDS = 0.01
looks = iter(range(10**9))
threads._gnu_openmp, threads.waited_seconds = lambda: True, lambda: {"1": 10.0 * next(looks)}
assert threads.sleep_beside_others()
while (busy := threading.active_count()) < 3:
    time.sleep(0.001)
"""


class Recorded(SleepingTeams):
    """Teams that only note what is asked of them."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def hold(self) -> None:
        self.asked.append("hold")

    def release(self) -> None:
        self.asked.append("release")


class Machine:
    """A clock, and threads that wait a share of each second for a processor."""

    def __init__(self) -> None:
        self.now, self.share, self.total = 0.0, 0.0, 0.0

    def tick(self) -> None:
        self.now += 0.5
        self.total += 0.5 * self.share

    def waited(self) -> dict[str, float]:
        return {"1": self.total / 2, "2": self.total / 2}

    def clock(self) -> float:
        return self.now


def watched(shares: list[float]) -> tuple[list[str], Watch]:
    """What is asked of the teams when the share of time spent waiting is as listed."""
    machine, teams = Machine(), Recorded()
    watch = Watch(machine.waited, teams, machine.clock)
    for machine.share in shares:
        machine.tick()
        watch.look()
    return teams.asked, watch


def test_an_idle_machine_is_left_alone() -> None:
    assert watched([0.0, 0.1, 0.04, 0.15, 0.0])[0] == []


def test_threads_sleep_at_once_and_spin_again_when_it_has_been_quiet() -> None:
    assert watched([0.0, 0.9])[0] == ["hold"]
    assert watched([0.9, 0.9, 0.0, 0.0, 0.0])[0] == ["hold"]
    asked, watch = watched([0.9, 0.0, 0.0, 0.0, 0.0])
    assert asked == ["hold", "release"] and not watch.busy
    asked, watch = watched([0.9, 0.0, 0.0, 0.0, 0.1, 0.0, 0.0])
    assert asked == ["hold"] and watch.busy
    assert watched([0.9, *[0.0] * 4, 0.9])[0] == ["hold", "release", "hold"]


def test_threads_that_come_and_go_are_not_counted_from_their_birth() -> None:
    readings = iter([{"1": 5.0}, {"1": 5.0, "2": 100.0}, {"2": 100.0}, {}])
    clock = iter([0.0, 1.0, 2.0, 3.0])
    teams = Recorded()
    watch = Watch(lambda: next(readings), teams, lambda: next(clock))
    for _ in range(3):
        watch.look()
    assert teams.asked == []


@pytest.mark.parametrize(("ours", "processors"), [(2, 2), (2, 3), (4, 4), (3, 8), (8, 64), (9, 2)])
def test_teams_outnumber_the_processors_and_no_more_than_needed(ours: int, processors: int) -> None:
    teams = teams_needed(ours, processors)
    assert ours + teams * (ours - 1) > processors
    assert teams == 1 or ours + (teams - 1) * (ours - 1) <= processors


def test_the_kernel_says_how_long_threads_waited(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for task, text in (("1", "7 2500000000 3\n"), ("2", "7 0 3\n")):
        (tmp_path / task).mkdir()
        (tmp_path / task / "schedstat").write_text(text)
    (tmp_path / "ended").mkdir()
    monkeypatch.setattr(threads, "_TASKS", tmp_path)
    assert threads.waited_seconds() == {"1": 2.5, "2": 0.0}
    (tmp_path / "1" / "schedstat").write_text("")
    assert threads.waited_seconds() is None
    monkeypatch.setattr(threads, "_TASKS", tmp_path / "none")
    assert threads.waited_seconds() is None


@pytest.mark.parametrize("variable", ["GOMP_SPINCOUNT", "OMP_WAIT_POLICY"])
def test_the_users_choice_stays(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, "passive")
    monkeypatch.setattr(threads, "_gnu_openmp", lambda: True)
    assert not sleep_beside_others()


def test_nothing_is_watched_where_it_would_not_help(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    assert not sleep_beside_others()
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    monkeypatch.setattr(threads, "_MAPS", tmp_path / "none")
    assert not sleep_beside_others()
    monkeypatch.setattr(threads, "_gnu_openmp", lambda: True)
    monkeypatch.setattr(threads, "waited_seconds", lambda: None)
    assert not sleep_beside_others()


@pytest.mark.skipif(not threads._gnu_openmp(), reason="the threads are not those of GNU OpenMP")
def test_teams_are_there_while_held_and_change_no_result() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        capture_output=True,
        text=True,
        check=True,
        timeout=HANGING_SECONDS,
    )
    counts, _, different = done.stdout.strip().rpartition(" ")
    before, first, between, second, after = json.loads(counts)
    assert first >= before + 2 and second == first  # a holder and at least one of its team
    assert between == after == before
    assert different == "1"


def test_a_process_ends_after_the_threads_that_sleep_for_it() -> None:
    """Python would stop them inside torch, which aborts the process after a good run."""
    done = subprocess.run(
        [sys.executable, "-c", ENDING],
        env={key: value for key, value in os.environ.items() if key not in threads._CHOSEN_BY_USER},
        capture_output=True,
        text=True,
        timeout=HANGING_SECONDS,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "3 ['MainThread']\n", "")


def test_a_process_watches_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred commands in one process do not leave a hundred threads."""
    for name in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    monkeypatch.setattr(threads, "_gnu_openmp", lambda: True)
    monkeypatch.setattr(threads, "waited_seconds", dict)
    for _ in range(3):
        assert sleep_beside_others()
    assert [thread.name for thread in threading.enumerate()].count("load") == 1

"""Threads that wait for each other: spinning on an idle machine, sleeping beside other work.

torch's parallel loops end when the slowest thread does; the others wait for it. GNU OpenMP lets
them spin, which is the fastest on idle processors. Where other processes want the processors, a
thread that spins takes them from the one it waits for: a step was measured to take 3.4 times as
long beside two busy processes on two cores, and 2.1 times with threads that sleep; on the idle
cores sleeping costs 15 %.

GNU OpenMP spins a thousandth as long while a process has more OpenMP threads than processors. So
while other processes keep this one waiting (the kernel says how long in ``schedstat``), a second
team of threads is kept, which sleeps. The number of threads that compute is never changed, and so
no result is.

A process does not end before these threads do: Python stops threads that are left where they next
ask for its lock, and one that is in torch then ends the process with "terminate called".
"""

from __future__ import annotations

import atexit
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import torch

_TASKS = Path("/proc/self/task")
_MAPS = Path("/proc/self/maps")
_CHOSEN_BY_USER = ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")
_LOOK_EVERY_SECONDS = 0.5
_BUSY_SHARE, _IDLE_SHARE = 0.2, 0.05  # of a thread's time spent waiting for a processor
_QUIET_LOOKS = 4  # before threads spin again
_WATCH = "load"  # name of the thread that watches
_PARALLEL_NUMBERS = 1 << 17  # enough for torch to use all threads

_starting = threading.Lock()


def sleep_beside_others() -> bool:
    """Let threads sleep instead of spin whenever other processes want the processors.

    It takes effect until the process ends, and once: a program that calls it again, or runs several
    commands, keeps its one watch. Nothing is done, and nothing need be, where one thread computes,
    where the user chose by GOMP_SPINCOUNT or OMP_WAIT_POLICY, and where the threads are not those
    of GNU OpenMP on Linux.

    Returns:
        Whether the load is watched from now on.
    """
    if any(name in os.environ for name in _CHOSEN_BY_USER) or not _gnu_openmp():
        return False
    if waited_seconds() is None or torch.get_num_threads() == 1:
        return False
    with _starting:
        if not any(thread.name == _WATCH for thread in threading.enumerate()):
            watch, ending = (
                Watch(waited_seconds, SleepingTeams(), time.monotonic),
                threading.Event(),
            )
            thread = threading.Thread(target=watch.run, args=(ending,), name=_WATCH, daemon=True)
            atexit.register(_end, thread, ending)
            thread.start()
    return True


def waited_seconds() -> dict[str, float] | None:
    """How long each thread of this process has waited for a processor so far; None if unknown."""
    waited: dict[str, float] = {}
    try:
        for task in os.listdir(_TASKS):
            try:
                waited[task] = int((_TASKS / task / "schedstat").read_text().split()[1]) / 1e9
            except (ProcessLookupError, FileNotFoundError):  # it has ended
                continue
    except (OSError, ValueError, IndexError):
        return None
    return waited or None


class SleepingTeams:
    """Teams of threads that do nothing, so many that those that compute no longer spin."""

    def __init__(self) -> None:
        self._release = threading.Event()
        self._holders: list[threading.Thread] = []
        self._held: list[threading.Event] = []

    def hold(self) -> None:
        """Make the teams."""
        self._release = threading.Event()
        processors = len(os.sched_getaffinity(0))
        for _ in range(teams_needed(torch.get_num_threads(), processors)):
            held = threading.Event()
            holder = threading.Thread(target=_hold_team, args=(held, self._release), daemon=True)
            self._held.append(held)
            self._holders.append(holder)
            holder.start()

    def wait_until_held(self) -> None:
        """Return when all teams are there."""
        for held in self._held:
            held.wait()

    def release(self) -> None:
        """End them; threads spin again."""
        self._release.set()
        for holder in self._holders:
            holder.join()
        self._holders.clear()
        self._held.clear()


class Watch:
    """Decides when threads sleep.

    Args:
        waited: As `waited_seconds`.
        teams: What to hold while others want the processors.
        clock: Seconds that never go back.

    Attributes:
        busy: Whether threads sleep.
    """

    def __init__(
        self,
        waited: Callable[[], dict[str, float] | None],
        teams: SleepingTeams,
        clock: Callable[[], float],
    ) -> None:
        self._waited, self._teams, self._clock = waited, teams, clock
        self._last, self._when = waited() or {}, clock()
        self._quiet = 0
        self.busy = False

    def run(self, ending: threading.Event) -> None:
        """Look at the load until the process is `ending`; threads that sleep have ended then."""
        while not ending.wait(_LOOK_EVERY_SECONDS):
            self.look()
        if self.busy:
            self._teams.release()

    def look(self) -> None:
        """Compare what threads waited since the last look with the time that has passed."""
        now, waited = self._clock(), self._waited() or {}
        more = [seconds - self._last.get(task, seconds) for task, seconds in waited.items()]
        share = sum(more) / max(now - self._when, 1e-9)
        self._last, self._when = waited, now
        self._quiet = self._quiet + 1 if share < _IDLE_SHARE else 0
        if not self.busy and share > _BUSY_SHARE:
            self.busy = True
            self._teams.hold()
        elif self.busy and self._quiet >= _QUIET_LOOKS:
            self.busy = False
            self._teams.release()


def _end(watch: threading.Thread, ending: threading.Event) -> None:
    """Let the thread that watches end, and wait for it."""
    ending.set()
    watch.join()


def teams_needed(threads: int, processors: int) -> int:
    """How many more teams of `threads` it takes to have more threads than processors.

    The first thread of a team is one of the program's, and OpenMP does not count it again.

    Example:
        >>> teams_needed(2, 2), teams_needed(8, 64), teams_needed(1, 64)
        (1, 9, 0)
    """
    return 0 if threads == 1 else max(0, processors - threads) // (threads - 1) + 1


def _hold_team(held: threading.Event, release: threading.Event) -> None:
    """Let OpenMP start a team for this thread, and keep it until released."""
    torch.zeros(_PARALLEL_NUMBERS).add_(1.0)
    held.set()
    release.wait()


def _gnu_openmp() -> bool:
    """Whether the loaded OpenMP is GNU's; others neither spin alike nor count threads alike."""
    try:
        return "/libgomp" in _MAPS.read_text()
    except OSError:
        return False

"""The one thread that computes, so that previews and fits never compete for the processor.

A *quick* job answers a gesture. While it waits, a newer one of the same name replaces it: nobody
looks at the preview of a stroke that another stroke has followed. A *long* job, a fit for instance,
asks between two steps for what is waiting (`breathe`), so gestures are answered while it runs.
"""

from __future__ import annotations

import itertools
import threading
from collections import deque
from collections.abc import Callable

Job = Callable[[], None]


class Worker:
    """A thread that runs jobs in order of urgency; it starts with the first of them.

    Args:
        failed: Called in the thread with what a job raised.
    """

    def __init__(self, failed: Callable[[BaseException], None]) -> None:
        self.failed = failed
        self._quick: dict[str, tuple[int, int, Job]] = {}
        self._long: deque[Job] = deque()
        self._numbers = itertools.count()
        self._change = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="regen edit: compute", daemon=True)

    def quick(self, name: str, job: Job, *, rank: int = 5) -> None:
        """Run a job soon, in place of one of the same name that has not begun.

        Args:
            name: Of what it answers.
            job: Takes and returns nothing.
            rank: Lower ones run first.
        """
        with self._change:
            self._quick[name] = rank, next(self._numbers), job
            self._woken()

    def long(self, job: Job) -> None:
        """Run a job after all others."""
        with self._change:
            self._long.append(job)
            self._woken()

    def _woken(self) -> None:
        if not self._thread.is_alive() and not self._closed:
            self._thread.start()
        self._change.notify()

    def breathe(self) -> None:
        """Run all quick jobs that wait; a long job calls this between two of its steps."""
        while (job := self._next_quick()) is not None:
            self._try(job)

    @property
    def closed(self) -> bool:
        """Whether nothing more is to be computed; a long job ends then."""
        return self._closed

    def close(self, seconds: float = 10.0) -> None:
        """Begin no further job, and wait for the one that runs, at most so long."""
        with self._change:
            self._closed = True
            self._quick.clear()
            self._long.clear()
            self._change.notify()
        if self._thread.is_alive():
            self._thread.join(seconds)

    def _next_quick(self) -> Job | None:
        with self._change:
            if not self._quick:
                return None
            name = min(self._quick, key=lambda name: self._quick[name][:2])
            return self._quick.pop(name)[2]

    def _run(self) -> None:
        while True:
            with self._change:
                self._change.wait_for(lambda: self._quick or self._long or self._closed)
                if self._closed:
                    return
                long = self._long.popleft() if self._long and not self._quick else None
            job = long or self._next_quick()
            if job is not None:
                self._try(job)

    def _try(self, job: Job) -> None:
        try:
            job()
        except BaseException as error:
            self.failed(error)

"""One thread computes; what nobody waits for any more is not computed."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from regen.editor.worker import Worker


@pytest.fixture
def failures() -> list[BaseException]:
    return []


@pytest.fixture
def worker(failures: list[BaseException]) -> Iterator[Worker]:
    made = Worker(failures.append)
    yield made
    made.close()


def held(worker: Worker) -> threading.Event:
    """Keep the thread busy until the event is set."""
    begun, release = threading.Event(), threading.Event()
    worker.quick("hold", lambda: (begun.set(), release.wait())[0], rank=0)
    begun.wait()
    return release


def finished(worker: Worker) -> None:
    done = threading.Event()
    worker.long(done.set)
    done.wait()


def test_a_newer_job_of_a_name_replaces_the_one_that_waits(worker: Worker) -> None:
    release, ran = held(worker), []
    for number in range(100):
        worker.quick("preview", lambda number=number: ran.append(number))
    release.set()
    finished(worker)
    assert ran == [99]


def test_what_is_more_urgent_comes_first(worker: Worker) -> None:
    release, ran = held(worker), []
    worker.long(lambda: ran.append("long"))
    worker.quick("grid", lambda: ran.append("grid"), rank=9)
    worker.quick("preview", lambda: ran.append("preview"), rank=2)
    release.set()
    finished(worker)
    assert ran == ["preview", "grid", "long"]


def test_a_long_job_lets_quick_ones_through(worker: Worker) -> None:
    ran: list[str] = []

    def long() -> None:
        worker.quick("preview", lambda: ran.append("preview"))
        ran.append("step")
        worker.breathe()
        ran.append("step")

    worker.long(long)
    finished(worker)
    assert ran == ["step", "preview", "step"]


def test_a_job_that_fails_is_told_and_ends_nothing(
    worker: Worker, failures: list[BaseException]
) -> None:
    worker.long(lambda: 1 // 0)  # type: ignore[arg-type, return-value]
    finished(worker)
    assert [type(failure) for failure in failures] == [ZeroDivisionError]


def test_a_closed_worker_begins_nothing(worker: Worker) -> None:
    release, ran = held(worker), []
    worker.quick("preview", lambda: ran.append(1))
    threading.Timer(0.05, release.set).start()
    worker.close()
    worker.quick("preview", lambda: ran.append(2))
    assert worker.closed and ran == []

"""Asking the worker: what is slow is computed in its thread, and the session goes on in its own.

A session lives in the thread of the server. A question is computed by the worker; what it found,
or what went wrong, comes back to the session's thread by `post`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from regen.errors import RegenError

Post = Callable[[Callable[[], None]], None]
Found = TypeVar("Found")
Failed = Callable[[BaseException], None]


class Computing(Protocol):
    """What the session needs of a `Worker`."""

    def quick(self, name: str, job: Callable[[], None], *, rank: int = 5) -> None: ...
    def long(self, job: Callable[[], None]) -> None: ...
    def breathe(self) -> None: ...
    @property
    def closed(self) -> bool: ...


@dataclass(frozen=True)
class Asking:
    """The way to the worker and back.

    Attributes:
        worker: Where everything slow is computed.
        post: Runs a function in the session's own thread.
    """

    worker: Computing
    post: Post

    def quick(
        self,
        name: str,
        compute: Callable[[], Found],
        then: Callable[[Found], None],
        failed: Failed | None = None,
        *,
        rank: int = 5,
    ) -> None:
        """Ask for what answers a gesture, in place of an older question of the same name.

        Args:
            name: Of the question.
            compute: Runs in the worker.
            then: Called in the session's thread with what was computed.
            failed: Called there with an error instead; by default the worker is left to tell it.
            rank: Lower ones run first.
        """
        self.worker.quick(name, lambda: self._answer(compute, then, failed), rank=rank)

    def long(
        self, compute: Callable[[], Found], then: Callable[[Found], None], failed: Failed
    ) -> None:
        """Ask for what takes its time, after all gestures; arguments are those of `quick`."""
        self.worker.long(lambda: self._answer(compute, then, failed))

    def _answer(
        self, compute: Callable[[], Found], then: Callable[[Found], None], failed: Failed | None
    ) -> None:
        """In the worker. A fault of regen's own goes on to the worker, and so to the terminal."""
        try:
            found = compute()
        except BaseException as error:
            problem = error
            if failed is not None:
                self.post(lambda: failed(problem))
            if failed is None or not isinstance(error, RegenError):
                raise
            return
        self.post(lambda: then(found))

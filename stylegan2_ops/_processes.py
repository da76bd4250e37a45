"""Commands that end with the process that started them, however that ends.

Each command runs under a small watcher, in a session of its own. The watcher reads from a pipe to
the process that builds; when that is gone, even by SIGKILL, the pipe ends, and the watcher kills
its session: the compiler, what that has started, and itself.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

_WATCHER = """
import os, signal, subprocess, sys, threading

def end_with_parent():
    os.read(0, 1)
    os.killpg(0, signal.SIGKILL)

threading.Thread(target=end_with_parent, daemon=True).start()
code = subprocess.call(sys.argv[1:], stdin=subprocess.DEVNULL)
os._exit(code if code >= 0 else 128 - code)
"""


@dataclass(frozen=True)
class Finished:
    """A command that has ended.

    Attributes:
        code: Its exit code; 128 and the number of a signal if one ended it.
        output: What it has printed, on both streams.
    """

    code: int
    output: str


class Commands:
    """Commands that run at the same time, from several threads, until `kill` ends all of them."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[str]] = set()
        self._lock = threading.Lock()
        self._killed = False

    def run(self, command: Sequence[str]) -> Finished:
        """Run a command to its end.

        Raises:
            OSError: If it cannot be started, or the commands have been killed.
        """
        with self._lock:
            if self._killed:
                raise InterruptedError("the build has ended")
            process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", _WATCHER, *command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                start_new_session=True,
            )
            self._running.add(process)
        with process:  # closes the pipes when it has ended
            assert process.stdout is not None
            output = process.stdout.read()
            code = process.wait()
        with self._lock:
            self._running.discard(process)
        return Finished(code if code >= 0 else 128 - code, output)

    def kill(self) -> None:
        """End what runs, at once, and start nothing more."""
        with self._lock:
            self._killed = True
            for process in self._running:
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(process.pid, signal.SIGKILL)

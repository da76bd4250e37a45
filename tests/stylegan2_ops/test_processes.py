"""Commands under a watcher: what they print, how they end, and that they can be ended at once."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from stylegan2_ops._processes import Commands, Finished


def python(program: str) -> list[str]:
    return [sys.executable, "-c", program]


def test_code_and_both_streams_are_told() -> None:
    program = "import sys; print('out', flush=True); print('err', file=sys.stderr); sys.exit(7)"
    assert Commands().run(python(program)) == Finished(7, "out\nerr\n")


def test_a_command_reads_nothing() -> None:
    assert Commands().run(python("print(repr(input()))")).code == 1
    assert Commands().run(python("import sys; print(repr(sys.stdin.read()))")).output == "''\n"


def test_a_command_that_a_signal_has_ended() -> None:
    assert Commands().run(python("import os; os.kill(os.getpid(), 11)")).code == 128 + 11


def test_killing_ends_what_runs_and_starts_nothing_more(tmp_path: Path) -> None:
    running = Commands()
    program = f"import time; open({str(tmp_path / 'started')!r}, 'w'); time.sleep(600)"
    with ThreadPoolExecutor() as pool:
        job = pool.submit(running.run, python(program))
        while not (tmp_path / "started").exists():
            assert not job.done()
        running.kill()
        assert job.result() == Finished(128 + 9, "")
    with pytest.raises(InterruptedError, match="the build has ended"):
        running.run(python("pass"))

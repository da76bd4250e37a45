"""Libraries are built whole or not at all, once, whoever builds at the same time."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from stylegan2_ops import _cache
from stylegan2_ops._build import build
from stylegan2_ops._plan import Plan
from stylegan2_ops._toolchain import BuildError, Compiler
from tests.helpers.processes import HANGING_SECONDS

ROOT = Path(__file__).parents[2]
BUILD_IT = """
import sys
from pathlib import Path
from stylegan2_ops._build import build
from stylegan2_ops._plan import plan
print(build(plan("cpu", Path(sys.argv[1])), force=True).record)
"""


def start_build(sources: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", BUILD_IT, str(sources)], stdout=subprocess.PIPE, text=True
    )


def contents(cache: Path) -> list[str]:
    return sorted(path.name for path in cache.iterdir() if path.name != ".lock")


def test_a_library_is_built_and_described(tiny_plan: Plan, cache: Path) -> None:
    said: list[str] = []
    built = build(tiny_plan, verbose=True, say=said.append)
    assert built.fresh and built.record == cache / f"{tiny_plan.record_name}.json"
    record = _cache.read_record(built.record)
    assert record.device == "cpu" and record.compiler == tiny_plan.compiler.version
    assert record.sources == tiny_plan.sources_digest
    library = ctypes.CDLL(str(cache / record.library))
    library.stylegan2_ops_cpu_capability.restype = ctypes.c_char_p
    assert library.stylegan2_ops_cpu_capability() == b"tiny"
    assert contents(cache) == sorted([built.record.name, record.library])
    assert said[0].startswith("cpu: compiling ") and len(said) == len(tiny_plan.units) + 2


def test_what_is_built_is_not_built_again_unless_forced(tiny_plan: Plan, cache: Path) -> None:
    first = build(tiny_plan)
    os.utime(first.record, (0, 0))
    assert build(replace(tiny_plan)) == replace(first, fresh=False)
    assert first.record.stat().st_mtime > 0  # asked for last, so used first
    assert build(tiny_plan, force=True).fresh


def test_a_damaged_library_is_built_again(tiny_plan: Plan, cache: Path) -> None:
    built = build(tiny_plan)
    library = cache / _cache.read_record(built.record).library
    library.write_bytes(library.read_bytes()[:-100])
    assert not _cache.is_whole(built.record)
    assert build(tiny_plan).fresh and _cache.is_whole(built.record)


def test_a_compiler_that_refuses_leaves_nothing(tiny_plan: Plan, cache: Path) -> None:
    (tiny_plan.sources / "cpu" / "kernel.cpp").write_text("int f() {\n  return undeclared;\n}\n")
    with pytest.raises(BuildError) as failure:
        build(tiny_plan)
    lines = str(failure.value).splitlines()
    assert lines[0].startswith("this command failed with exit code ")
    assert "-DCAPABILITY=" in lines[1] and "kernel.cpp:2" in lines[2] and "undeclared" in lines[2]
    assert contents(cache) == []


def test_sources_that_change_meanwhile_are_not_published(tiny_plan: Plan, cache: Path) -> None:
    def edit(_: str) -> None:
        (tiny_plan.sources / "cpu" / "numbers.h").write_text("#define NUMBER 2\n")

    with pytest.raises(BuildError, match="changed while they were compiled; build again"):
        build(tiny_plan, say=edit)
    assert contents(cache) == []


def test_a_compiler_that_has_gone_is_reported(tiny_plan: Plan, cache: Path) -> None:
    gone = replace(tiny_plan, compiler=Compiler(("/no/such/g++",), "g++ 1"))
    with pytest.raises(BuildError, match=r"cannot run /no/such/g\+\+: No such file"):
        build(gone)


def test_a_cache_that_cannot_be_written_to_is_told_with_a_remedy(
    tiny_plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("STYLEGAN2_OPS_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(BuildError, match="cannot write to .*/file/cache .*STYLEGAN2_OPS_CACHE"):
        build(tiny_plan)


def test_two_processes_that_build_at_once_both_end_well(tiny_plan: Plan, cache: Path) -> None:
    processes = [start_build(tiny_plan.sources) for _ in range(2)]
    told = [process.communicate(timeout=HANGING_SECONDS)[0].strip() for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    target = cache / f"{tiny_plan.record_name}.json"
    assert told == [str(target)] * 2
    assert _cache.is_whole(target)
    assert not [name for name in contents(cache) if name.startswith(".stylegan2_ops-build-")]


def test_what_a_killed_build_leaves_is_no_library_and_is_cleared(
    tiny_plan: Plan, cache: Path
) -> None:
    killed = cache / ".stylegan2_ops-build-killed"
    cache.mkdir(mode=0o700)
    killed.mkdir()
    (killed / "made-by-stylegan2_ops").touch()
    (killed / "cpu.so").write_bytes(b"half of a libr")
    (cache / ".lock").touch()
    (cache / f"{tiny_plan.record_name}-01234567.so").write_bytes(b"whole, but not yet recorded")
    assert not _cache.is_whole(cache / f"{tiny_plan.record_name}.json")
    built = build(tiny_plan)
    assert built.fresh and _cache.is_whole(built.record)
    assert not killed.exists()


SLOW_COMPILER = """#!/bin/sh
case "$*" in *--version*) echo slow 1; exit;; esac
sleep 600 &
echo $$ $! > "{pids}.new" && mv "{pids}.new" "{pids}"
wait
"""


def running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are read from /proc")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_killed_build_leaves_no_compiler(
    tiny_plan: Plan,
    tmp_path: Path,
    cache: Path,
    number: signal.Signals,
    usual_handlers: None,
) -> None:
    """Nor what the compiler has started, however long both would have run."""
    pids = tmp_path / "pids"
    compiler = tmp_path / "slow"
    compiler.write_text(SLOW_COMPILER.format(pids=pids))
    compiler.chmod(0o755)
    environment = {**os.environ, "CXX": str(compiler), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", BUILD_IT, str(tiny_plan.sources)]
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as build_it:
        while not pids.exists():
            assert build_it.poll() is None
            time.sleep(0.05)
        started = [int(pid) for pid in pids.read_text().split()]
        assert all(running(pid) for pid in started)
        build_it.send_signal(number)
    end = time.monotonic() + HANGING_SECONDS
    while any(running(pid) for pid in started):
        assert time.monotonic() < end, "a compiler is still running"
        time.sleep(0.05)
    assert not list(cache.glob("*.json"))

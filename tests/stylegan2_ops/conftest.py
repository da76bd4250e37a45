"""A cache of its own for every test that builds, and sources that compile in no time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from stylegan2_ops._dispatch import implementation, use
from stylegan2_ops._plan import Plan, plan
from stylegan2_ops._toolchain import ToolMissingError

REGISTER = 'extern "C" const char* stylegan2_ops_cpu_capability() { return "tiny"; }\n'
KERNEL = '#include "numbers.h"\nint CAPABILITY() { return NUMBER; }\n'


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache of the operators: a folder that does not exist yet."""
    monkeypatch.setenv("STYLEGAN2_OPS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def tiny_sources(tmp_path: Path) -> Path:
    """Sources in the folders of the real ones, but without torch and operators."""
    folder = tmp_path / "csrc"
    (folder / "cpu").mkdir(parents=True)
    (folder / "schema.cpp").write_text("int schema() { return 0; }\n")
    (folder / "cpu" / "register.cpp").write_text(REGISTER)
    (folder / "cpu" / "kernel.cpp").write_text(KERNEL)
    (folder / "cpu" / "numbers.h").write_text("#define NUMBER 1\n")
    return folder


@pytest.fixture
def tiny_plan(tiny_sources: Path) -> Plan:
    """The plan for the CPU's library of `tiny_sources`; skips where there is no compiler."""
    try:
        return plan("cpu", tiny_sources)
    except ToolMissingError as error:
        pytest.skip(str(error))


@pytest.fixture
def compiled() -> Iterator[None]:
    """The compiled kernels run, or the test is skipped with the reason why there are none."""
    try:
        implementation("compiled")
    except RuntimeError as error:
        pytest.skip(str(error))
    with use("compiled"):
        yield

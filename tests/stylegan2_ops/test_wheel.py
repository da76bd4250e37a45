"""A wheel with kernels inside runs where there is no compiler, and one without holds none.

The wheels hold this package with the real declaration of the operators and next to no kernels.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest

from stylegan2_ops._cache import machine
from stylegan2_ops._plan import Plan

ROOT = Path(__file__).parents[2]
BUILD_WHEEL = "from setuptools import build_meta; print(build_meta.build_wheel('dist'))"
USE_WHEEL = """
import torch, stylegan2_ops
before = hasattr(torch.ops.stylegan2_ops, "bias_act")
found = stylegan2_ops.implementation("compiled")
print(before, hasattr(torch.ops.stylegan2_ops, "bias_act"), found.reason)
"""


@pytest.fixture
def project(tmp_path: Path, tiny_plan: Plan) -> Path:
    """What `make wheel` needs of this repository."""
    if int(version("setuptools").split(".")[0]) < 77:
        pytest.skip("setuptools is older than pyproject.toml wants")
    folder = tmp_path / "project"
    folder.mkdir()
    for name in ("setup.py", "setup.cfg", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    shutil.copytree(ROOT / "examples", folder / "examples")
    (folder / "docs").mkdir()
    shutil.copy(ROOT / "docs" / "edits.schema.json", folder / "docs")
    ignored = shutil.ignore_patterns("__pycache__", "csrc")
    shutil.copytree(ROOT / "stylegan2_ops", folder / "stylegan2_ops", ignore=ignored)
    csrc = shutil.copytree(tiny_plan.sources, folder / "stylegan2_ops" / "csrc")
    shutil.copy(ROOT / "stylegan2_ops" / "csrc" / "schema.cpp", csrc)
    return folder


def build_wheel(project: Path, **environment: str) -> Path:
    done = subprocess.run(
        [sys.executable, "-c", BUILD_WHEEL],
        cwd=project,
        env={**os.environ, "CUDA_HOME": "/no/toolkit", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    return project / "dist" / done.stdout.splitlines()[-1]


def libraries(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return [name for name in archive.namelist() if name.startswith("stylegan2_ops/lib/")]


def test_a_wheel_with_kernels_needs_no_compiler(project: Path, tmp_path: Path) -> None:
    wheel = build_wheel(project, STYLEGAN2_OPS_WHEEL="1")
    name, python, abi, platform = wheel.stem.rsplit("-", 3)
    assert name.startswith("regen-") and (python, abi) == ("py3", "none")
    assert platform.endswith(machine().split("-")[1])
    record, library = sorted(libraries(wheel), key=len)
    assert record == "stylegan2_ops/lib/cpu.json" and library.endswith(".so")

    installed = tmp_path / "installed"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)
    lacking = {"PATH": "", "CXX": "", "STYLEGAN2_OPS_CACHE": str(tmp_path / "none")}
    done = subprocess.run(
        [sys.executable, "-c", USE_WHEEL],
        cwd=installed,
        env={**os.environ, **lacking, "STYLEGAN2_OPS": ""},
        capture_output=True,
        text=True,
    )
    assert done.stderr == "" and done.returncode == 0
    assert done.stdout == f"False True tiny kernels of {installed / library}\n"


def test_a_wheel_without_kernels_is_for_every_platform(project: Path) -> None:
    (project / "build" / "lib" / "stylegan2_ops" / "lib").mkdir(parents=True)
    (project / "build" / "lib" / "stylegan2_ops" / "lib" / "cpu.json").write_text("left over")
    wheel = build_wheel(project, STYLEGAN2_OPS_WHEEL="")
    assert wheel.name.endswith("-py3-none-any.whl") and libraries(wheel) == []
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert "stylegan2_ops/csrc/cpu/kernel.cpp" in names  # so that kernels can be built later
    assert "stylegan2_ops/csrc/schema.cpp" in names


def test_a_wheel_has_the_examples_and_their_schema_and_none_of_an_earlier_build(
    project: Path,
) -> None:
    left_over = project / "build" / "lib" / "regen" / "examples" / "old.json"
    left_over.parent.mkdir(parents=True)
    left_over.write_text("{}")
    for stray in ("mine.json", "me.png", "noto/.notes.txt.swp", "out/rewrite.safetensors"):
        path = project / "examples" / stray
        path.parent.mkdir(exist_ok=True)
        path.write_text("{}")
    with zipfile.ZipFile(build_wheel(project, STYLEGAN2_OPS_WHEEL="")) as archive:
        found = {name for name in archive.namelist() if name.startswith("regen/examples/")}
    manifest = (ROOT / "MANIFEST.in").read_text(encoding="utf-8")
    names = [*re.findall("include (examples/.+)", manifest), "examples/edits.schema.json"]
    assert found == {f"regen/{name}" for name in names}

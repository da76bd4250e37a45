"""Tests mirror the modules: ``regen/a/b.py`` is tested by ``tests/a/test_b.py``.

``stylegan2_ops/_b.py`` is tested by ``tests/stylegan2_ops/test_b.py``, and a package by what is in
it. What has no file of its own is listed below with the reason.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
EXCEPTIONS = {
    "regen/__main__.py": "one call of the command, which tests/cli makes",
    "regen/files/limits.py": "numbers, tested where they are applied",
    "regen/files/run_files.py": "names, tested where they are written",
    "regen/generators/family.py": "a record and protocols, tested with each family",
    "regen/generators/trainer.py": "a record and protocols, tested with each trainer",
    "regen/unpickling/world.py": "a protocol, tested with the worlds that keep it",
}


def place(module: Path) -> Path:
    """Where the tests of a module are, both relative to the repository."""
    parts = module.parts[1:] if module.parts[0] == "regen" else module.parts
    return Path("tests", *parts[:-1], f"test_{module.stem.strip('_')}.py")


def missing(root: Path) -> list[str]:
    """Modules without a file of tests, those of the exceptions too."""
    modules = (path for top in ("regen", "stylegan2_ops") for path in (root / top).rglob("*.py"))
    paths = sorted(path.relative_to(root) for path in modules if path.name != "__init__.py")
    return [str(path) for path in paths if not has_tests(root / place(path))]


def has_tests(path: Path) -> bool:
    if not path.is_file():
        return False
    parts = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    return any(isinstance(p, ast.FunctionDef) and p.name.startswith("test_") for p in parts)


def test_every_module_has_tests_of_its_own_or_a_reason_why_not() -> None:
    assert missing(ROOT) == sorted(EXCEPTIONS)


@pytest.mark.parametrize(
    ("module", "tests"),
    [
        ("regen/errors.py", "tests/test_errors.py"),
        ("regen/runs/rewrite/run.py", "tests/runs/rewrite/test_run.py"),
        ("stylegan2_ops/_plan.py", "tests/stylegan2_ops/test_plan.py"),
        ("stylegan2_ops/__main__.py", "tests/stylegan2_ops/test_main.py"),
    ],
)
def test_places(module: str, tests: str) -> None:
    assert place(Path(module)) == Path(tests)


def test_the_check_can_fail(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / "regen" / "images").mkdir(parents=True, exist_ok=True)
        (tmp_path / "regen" / "images" / f"{name}.py").touch()
    (tmp_path / "tests" / "images").mkdir(parents=True)
    (tmp_path / "tests" / "images" / "test_a.py").write_text("def test_it() -> None: ...\n")
    (tmp_path / "tests" / "images" / "test_b.py").write_text("# tests are to come\n")
    assert missing(tmp_path) == ["regen/images/b.py", "regen/images/c.py"]

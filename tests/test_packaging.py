"""What is in the tree reaches whoever installs the package."""

from __future__ import annotations

import configparser
import re
import subprocess
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def settings() -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    return parser


def packaged(path: Path, patterns: dict[str, list[str]]) -> bool:
    """Whether setup.cfg's package data names the file, of which `path` is relative to the root."""
    return any(
        fnmatch(str(path), str(Path(*package.split("."), pattern)))
        for package, globs in patterns.items()
        for pattern in globs
    )


@pytest.mark.parametrize("package", ["regen", "stylegan2_ops"])
def test_every_folder_with_python_files_is_a_package(package: str) -> None:
    folders = {path.parent for path in (ROOT / package).rglob("*.py")}
    lacking = [str(f.relative_to(ROOT)) for f in folders if not (f / "__init__.py").exists()]
    assert sorted(lacking) == []


@pytest.mark.parametrize("package", ["regen", "stylegan2_ops"])
def test_every_other_file_is_package_data(package: str) -> None:
    patterns = {
        name: [glob.strip() for glob in globs.split(",")]
        for name, globs in settings().items("options.package_data")
    }
    others = [
        path.relative_to(ROOT)
        for path in (ROOT / package).rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc")
    ]
    assert [str(path) for path in others if not packaged(path, patterns)] == []
    assert not packaged(Path("regen", "notes.txt"), patterns)


def listed_examples() -> list[str]:
    """Those that MANIFEST.in lists, which go into distributions and the package."""
    lines = (ROOT / "MANIFEST.in").read_text(encoding="utf-8").splitlines()
    return [line.split()[1] for line in lines if line.startswith("include examples/")]


def test_the_examples_that_are_packaged_are_all_that_git_knows() -> None:
    git = subprocess.run(
        ["git", "ls-files", "examples"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if git.returncode != 0 or not git.stdout:
        pytest.skip("no git repository")
    assert listed_examples() == git.stdout.split()


def test_the_examples_that_are_packaged_are_complete() -> None:
    names = listed_examples()
    assert all((ROOT / name).is_file() for name in names) and len(set(names)) == len(names)
    for name in (name for name in names if name.endswith(".json")):
        text = (ROOT / name).read_text(encoding="utf-8")
        images = re.findall(r'"([^"]+\.png)"', text)
        assert {f"examples/{image}" for image in images} <= set(names), name


def test_the_two_commands_of_the_readme_are_targets() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for target in ("demo", "test"):
        assert f"make {target}" in readme.split("\n## ")[0]
        assert f"\n{target}: $(INSTALLED)" in makefile


def test_installing_compiles_the_operators_and_goes_on_where_it_cannot() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in ("install", "demo", "test"):
        assert f"\n{target}: $(INSTALLED) $(COMPILED)" in makefile
    assert makefile.count("-m stylegan2_ops build") == 1
    assert "@if $(BIN)/python -m stylegan2_ops build; then touch $@; fi" in makefile


def test_the_wheel_is_asked_to_bring_the_operators() -> None:
    variable = "STYLEGAN2_OPS_WHEEL"
    assert f"{variable}=1 $(BIN)/python -m pip wheel" in (ROOT / "Makefile").read_text()
    assert f'os.environ.get("{variable}") == "1"' in (ROOT / "setup.py").read_text()


def test_the_licences_are_those_of_code_drawings_backbone_and_weights() -> None:
    licences = settings().get("metadata", "license")
    assert licences == "Apache-2.0 AND BSD-3-Clause AND CC-BY-4.0 AND OFL-1.1"
    files = settings().get("metadata", "license_files").split()
    assert len(files) == 4 and all((ROOT / file).is_file() for file in files)
    assert "Version 2.0, January 2004" in (ROOT / "LICENSE").read_text(encoding="utf-8")

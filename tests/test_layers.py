"""Imports go one way. This file holds the order, checks it, and proves that the check can fail."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# As in the folder table: first what imports nothing. A unit may import the rows before its own,
# its own row and nothing else of ours; a folder is one unit, so its files import each other.
ROWS = [
    {"errors"},
    {"allocator", "linear_algebra", "losses", "precision", "seeds"},
    {"files"},
    {"images"},
    {"unpickling"},
    {"metrics"},
    {"portraits"},
    {"edits"},
    {"training"},
    {"generators"},
    {"projector"},
    {"rewriting"},
    {"report"},
    {"runs"},
    {"doctor"},
    {"__init__"},
    {"cli", "__main__"},
]
RANK = {unit: rank for rank, row in enumerate(ROWS) for unit in row}
OPS_MAY_IMPORT = {"stylegan2_ops", "torch"} | set(sys.stdlib_module_names)


def imported_modules(source: str, package: str) -> Iterator[tuple[int, str]]:
    """Line and absolute dotted name of every import in `source`, wherever it stands."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: len(package.split(".")) - node.level + 1]
            base = ".".join(
                (parents if node.level else []) + ([node.module] if node.module else [])
            )
            for alias in node.names:
                yield node.lineno, f"{base}.{alias.name}"


def unit_of(module: str) -> str:
    """`regen.generators.protocol` belongs to the unit `generators`, `regen.x` to `x`.

    A name that is no unit (``from regen import __version__``) belongs to the package itself.
    """
    name = module.split(".")[1] if "." in module else "__init__"
    return name if name in RANK else "__init__"


def regen_violations(source: str, unit: str, package: str) -> list[str]:
    """Imports of `source`, a file of `unit`, that do not go upwards in ROWS."""
    found = []
    for line, module in imported_modules(source, package):
        if module.split(".")[0] == "regen":
            other = unit_of(module)
            if RANK[other] > RANK.get(unit, -1):
                found.append(f"line {line}: {unit} must not import {other}")
    return found


def ops_violations(source: str) -> list[str]:
    """Imports of `source`, a file of stylegan2_ops, beyond torch and the standard library."""
    return [
        f"line {line}: stylegan2_ops must not import {module}"
        for line, module in imported_modules(source, "stylegan2_ops")
        if module.split(".")[0] not in OPS_MAY_IMPORT
    ]


def sources(folder: str) -> list[Path]:
    """Python files under `folder`, relative to the root."""
    return sorted(path.relative_to(ROOT) for path in (ROOT / folder).rglob("*.py"))


def test_every_file_of_regen_has_a_row() -> None:
    units = {path.parts[1].removesuffix(".py") for path in sources("regen")}
    assert units <= set(RANK), f"give these a row in ROWS: {sorted(units - set(RANK))}"


@pytest.mark.parametrize("path", sources("regen"), ids=str)
def test_regen_imports_upwards(path: Path) -> None:
    package = ".".join(path.parent.parts)
    unit = path.parts[1].removesuffix(".py")
    assert regen_violations((ROOT / path).read_text(), unit, package) == []


@pytest.mark.parametrize("path", sources("stylegan2_ops"), ids=str)
def test_stylegan2_ops_imports_torch_alone(path: Path) -> None:
    assert ops_violations((ROOT / path).read_text()) == []


@pytest.mark.parametrize(
    ("unit", "package", "source"),
    [
        ("errors", "regen", "import regen.images"),
        ("generators", "regen.generators.stylegan2", "from regen.projector.network import B"),
        ("generators", "regen.generators.stylegan2", "from ...projector import network"),
        ("projector", "regen.projector", "def late():\n    from regen import report"),
        ("files", "regen", "if TYPE_CHECKING:\n    from .generators import open_generator"),
        ("report", "regen", "from regen import __version__"),
    ],
)
def test_a_planted_violation_is_found(unit: str, package: str, source: str) -> None:
    assert len(regen_violations(source, unit, package)) == 1


@pytest.mark.parametrize("source", ["import regen", "from regen.errors import RegenError"])
def test_a_planted_import_of_regen_in_the_operators_is_found(source: str) -> None:
    assert "stylegan2_ops must not import regen" in ops_violations(source)[0]


@pytest.mark.parametrize(
    ("unit", "package", "source"),
    [
        ("projector", "regen.projector", "from .network import B\nfrom regen.errors import E"),
        ("images", "regen.images", "from regen.images import load_image"),
        ("cli", "regen.cli", "import torch\nfrom regen import __version__, report"),
    ],
)
def test_imports_upwards_and_in_the_same_folder_are_allowed(
    unit: str, package: str, source: str
) -> None:
    assert regen_violations(source, unit, package) == []

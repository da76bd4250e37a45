"""Imports go one way. This file holds the order, checks it, and proves that the check can fail."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from regen.generators.families import FAMILIES

ROOT = Path(__file__).parent.parent

# As in the folder table: first what imports nothing. A unit may import the rows before its own,
# its own row and nothing else of ours; a folder is one unit, so its files import each other.
ROWS = [
    {"errors"},
    {
        "allocator",
        "batches",
        "linear_algebra",
        "losses",
        "numbers",
        "precision",
        "seeds",
        "surroundings",
        "threads",
    },
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
    {"evaluation"},
    {"api"},
    {"report"},
    {"runs"},
    {"doctor", "editor"},
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


EDITOR_MAY_IMPORT = {"editor", "api", "errors", "files", "runs"}


def editor_violations(source: str) -> list[str]:
    """Imports of `source`, a file of the editor, beyond what a program of anybody's would use."""
    modules = (module for _, module in imported_modules(source, "regen.editor"))
    units = {unit_of(module) for module in modules if module.split(".")[0] == "regen"}
    return sorted(units - EDITOR_MAY_IMPORT)


@pytest.mark.parametrize("path", sources("regen/editor"), ids=str)
def test_the_editor_is_built_on_the_public_api(path: Path) -> None:
    assert editor_violations((ROOT / path).read_text()) == []


def test_a_planted_short_cut_of_the_editor_is_found() -> None:
    assert editor_violations("from regen.rewriting.learn import learn") == ["rewriting"]
    assert editor_violations("from regen import api\nimport numpy") == []


def family_folders() -> list[str]:
    """Names of the folders in generators/ that are a family."""
    return sorted(path.parent.name for path in (ROOT / "regen" / "generators").glob("*/family.py"))


def families_named(source: str, package: str, families: list[str]) -> list[str]:
    """Where `source`, a file of `package`, imports from a family that it is no part of.

    Imports for type checkers count as others do, and so does a text that is a module's name.
    """
    texts = [
        (node.lineno, node.value)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    found = []
    for line, module in [*imported_modules(source, package), *texts]:
        for family in families:
            inside = f"regen.generators.{family}"
            named = module == inside or module.startswith(f"{inside}.")
            if named and not f"{package}.".startswith(f"{inside}."):
                found.append(f"line {line}: only {inside} may name {module}")
    return found


FAMILY_TABLE = Path("regen/generators/families.py")  # names each family in a text, imports none


@pytest.mark.parametrize("path", sources("regen"), ids=str)
def test_nothing_outside_a_family_imports_from_it(path: Path) -> None:
    package = ".".join(path.parent.parts)
    found = families_named((ROOT / path).read_text(), package, family_folders())
    assert found == [] or (path == FAMILY_TABLE and len(found) == len(family_folders()))


def test_every_family_is_in_the_table() -> None:
    assert sorted(FAMILIES) == family_folders()


@pytest.mark.parametrize(
    ("package", "source"),
    [
        ("regen.runs", "from regen.generators.toy.files import load"),
        ("regen.runs", "from regen.generators.toy import files"),
        ("regen.runs", "from regen.generators import toy"),
        ("regen.runs", "import regen.generators.toy.files as f"),
        ("regen.runs", "if TYPE_CHECKING:\n    from regen.generators.toy.family import FAMILY"),
        ("regen.runs.train_generator", "def late():\n    from ...generators.toy import files"),
        ("regen.generators", "from .toy.family import FAMILY"),
        ("regen.generators.other", "from regen.generators.toy import network"),
        ("regen.runs", "importlib.import_module('regen.generators.toy.files')"),
    ],
)
def test_a_planted_import_from_a_family_is_found(package: str, source: str) -> None:
    assert len(families_named(source, package, ["other", "toy"])) == 1


@pytest.mark.parametrize(
    ("package", "source"),
    [
        ("regen.generators.toy", "from regen.generators.toy.network import Toy"),
        ("regen.generators.toy.training", "from ..network import Toy"),
        ("regen.runs", "from regen.generators.family import Family"),
        ("regen.runs", "from regen.generators.toys import x"),
        ("regen.runs", "'a text about regen.generators.toy'"),
    ],
)
def test_a_family_imports_from_itself_and_names_may_be_similar(package: str, source: str) -> None:
    assert families_named(source, package, ["other", "toy"]) == []

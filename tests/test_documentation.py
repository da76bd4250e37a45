"""What the pages say exists: paths, links, targets, options and examples."""

from __future__ import annotations

import ast
import inspect
import json
import re
from pathlib import Path

import click
import pytest
from PIL import Image

import regen
from regen.cli import main
from regen.edits.schema import read_edits
from regen.generators.protocol import Generator
from regen.generators.split import Split
from regen.portraits import PATTERNS, REGIONS
from tests.test_layers import ROWS

ROOT = Path(__file__).parent.parent
CONTEXT = click.Context(main)
PAGES = [
    *sorted((ROOT / "docs").glob("*.md")),
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")),
    ROOT / "experiments" / "README.md",
]
_PATH = re.compile(r"`((?:regen|stylegan2_ops|tests|experiments|examples|docs)/[\w./-]+)`")
_LINK = re.compile(r"\]\(([^)#:]+)(?:#[\w.-]+)?\)|<img src=\"([^\"]+)\"")
_OF_REGEN = re.compile(r"\bregen\.(\w+)\(")
_COMMAND = re.compile(rf"(?:^|[`\s])regen ({'|'.join(main.list_commands(CONTEXT))})\b([^`\n#|]*)")
_OPTION = re.compile(r"(?<=\s)--?[a-z][a-z0-9-]*")
_TARGET = re.compile(r"`make ([a-z0-9-]+)")


def words(page: Path) -> str:
    """A file without the comments of its HTML."""
    return re.sub(r"<!--.*?-->", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)


def examples() -> list[str]:
    """Whole edits files that the pages show."""
    blocks = [b for p in PAGES for b in re.findall(r"```json\n(.*?)```", words(p), re.DOTALL)]
    return [block for block in blocks if '"version"' in block]


def programs() -> list[str]:
    """What the pages show of Python."""
    return [b for p in PAGES for b in re.findall(r"```python\n(.*?)```", words(p), re.DOTALL)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_page_names_is_there(page: Path) -> None:
    text = words(page)
    paths = set(_PATH.findall(text))
    links = {one or other for one, other in _LINK.findall(text)}
    missing = [path for path in paths if not (ROOT / path).exists()]
    missing += [link for link in links if not (page.parent / link).exists()]
    assert sorted(missing) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_targets_that_a_page_names_are_in_the_makefile(page: Path) -> None:
    makefile = words(ROOT / "Makefile")
    missing = [name for name in _TARGET.findall(words(page)) if f"\n{name}: " not in makefile]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_options_that_a_page_gives_to_a_command_are_options_of_it(page: Path) -> None:
    unknown = [
        f"{name} {option}"
        for name, rest in _COMMAND.findall(words(page).replace("\\\n", ""))
        for option in _OPTION.findall(rest)
        if option not in options_of(name)
    ]
    assert unknown == []


def options_of(name: str) -> set[str]:
    command = main.get_command(CONTEXT, name)
    assert command is not None
    return {word for p in command.params for word in (*p.opts, *p.secondary_opts)}


def test_every_page_is_in_the_navigation() -> None:
    navigation = words(ROOT / "mkdocs.yml")
    assert [p.name for p in (ROOT / "docs").glob("*.md") if f": {p.name}\n" not in navigation] == []


def test_there_are_examples() -> None:
    assert len(examples()) >= 2


@pytest.mark.parametrize("example", examples())
def test_edits_files_that_are_shown_can_be_read(tmp_path: Path, example: str) -> None:
    path = tmp_path / "edits.json"
    path.write_text(example, encoding="utf-8")
    Image.new("RGBA", (128, 128)).save(tmp_path / "nose.png")  # the reader's own
    assert len(read_edits(path).edits) == len(json.loads(example)["edits"])


@pytest.mark.parametrize("block", programs())
def test_programs_that_are_shown_name_what_is_there(block: str) -> None:
    compile(block, "documentation", "exec")
    assert [name for name in _OF_REGEN.findall(block) if not hasattr(regen, name)] == []


def test_all_names_of_the_portraits_are_explained() -> None:
    page = words(ROOT / "docs" / "edits-file.md")
    rows = page.split("### Named regions")[1]
    assert [name for name in (*PATTERNS, *REGIONS) if f"`{name}`" not in rows] == []


def test_the_design_names_every_unit() -> None:
    page = words(ROOT / "docs" / "design.md").split("## Folders")[1].split("\n## ")[0]
    units = [unit for row in ROWS for unit in sorted(row) if not unit.startswith("__")]
    assert [unit for unit in units if f"`{unit}`" not in page] == []


def signature(owner: type, name: str) -> inspect.Signature:
    method = inspect.getattr_static(owner, name)
    return inspect.signature(method.fget if isinstance(method, property) else method)


def test_a_family_written_after_the_page_has_the_signatures_of_the_protocol() -> None:
    page = words(ROOT / "docs" / "add-a-family.md")
    (block,) = re.findall(r"```python\n(class MyGenerator.*?)```", page, re.DOTALL)
    names: dict[str, type] = {"Generator": Generator}
    exec(f"from __future__ import annotations\n{block}", names)
    shown = names["MyGenerator"]
    assert not inspect.isabstract(shown), "some that are abstract are missing"
    for name in Generator.__abstractmethods__:
        assert signature(shown, name) == signature(Generator, name), name
    assert [name for name in Split.__abstractmethods__ if f"`{name}" not in page] == []


def test_the_versions_agree() -> None:
    setup = words(ROOT / "setup.cfg")
    version = re.search(r"^version = (\S+)$", setup, re.MULTILINE)
    assert version and f"version: {version[1]}\n" in words(ROOT / "CITATION.cff")
    workflow = words(ROOT / ".github" / "workflows" / "ci.yml")
    assert "python_requires = >=3.10" in setup and '"3.10"' in workflow and ".ci/run" in workflow


@pytest.mark.parametrize("folder", ["regen/projector", "regen/rewriting"])
def test_the_map_of_a_folder_names_all_of_its_modules(folder: str) -> None:
    source = ast.parse(words(ROOT / folder / "__init__.py"))
    text = ast.get_docstring(source, clean=False) or ""
    rows = [line.strip().split("  ")[0] for line in text.splitlines() if line.startswith("    ")]
    named = [name for row in rows for name in row.split(", ")]
    modules = [path.stem for path in (ROOT / folder).glob("*.py") if path.stem != "__init__"]
    assert sorted(named) == sorted(modules)

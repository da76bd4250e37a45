"""The help of every command: at once, in groups, in full phrases, with an example that parses."""

from __future__ import annotations

import shlex
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from regen.cli import main
from regen.cli.help import Grouped, Setting
from regen.projector.settings import ProjectorTrainingSettings
from regen.rewriting.presets import preset

VERBS = [
    "rewrite",
    "edit",
    "generate",
    "project",
    "train-generator",
    "train-projector",
    "convert",
    "info",
    "examples",
    "doctor",
]


def test_the_verbs_in_the_order_they_are_used() -> None:
    result = CliRunner().invoke(main, ["--help"])
    lines = [line.split() for line in result.stdout.splitlines()]
    assert [line[0] for line in lines if line and line[0] in VERBS] == VERBS
    assert "..." not in result.stdout.split("Commands:")[1]


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help(verb: str) -> None:
    result = CliRunner().invoke(main, [verb, "-h"])
    assert result.exit_code == 0 and result.stdout.startswith(f"Usage: regen {verb} ")


@pytest.mark.parametrize(
    ("verb", "name", "settings"),
    [
        ("rewrite", "preserve", preset("default").fit),
        ("train-projector", "kimg", ProjectorTrainingSettings()),
    ],
)
def test_help_shows_the_defaults_of_the_settings(verb: str, name: str, settings: object) -> None:
    text = " ".join(CliRunner().invoke(main, [verb, "--help"]).stdout.split())
    shown = text.split(f"--{name} ")[1].split("[default: ")[1].split(";")[0]
    assert float(shown) == getattr(settings, name)


@pytest.mark.parametrize("verb", ["rewrite", "train-projector"])
def test_every_setting_is_a_field_of_its_dataclass(verb: str) -> None:
    found = [p for p in main.commands[verb].params if isinstance(p, Setting)]
    assert len(found) > 8
    for option in found:
        assert option.name is not None and hasattr(option.default_from(), option.name)
        assert not option.required


@pytest.mark.parametrize("words", [[], *([verb] for verb in VERBS)], ids=" ".join)
def test_help_imports_neither_torch_nor_numpy(words: list[str]) -> None:
    """Both take seconds; what is asserted are the modules, since time depends on the machine."""
    code = (
        "import sys\nfrom regen.cli import main\n"
        f"main({[*words, '--help']}, standalone_mode=False)\n"
        "print(sorted({'torch', 'numpy', 'PIL', 'scipy'} & set(sys.modules)))\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("Usage: ") and result.stdout.splitlines()[-1] == "[]"


def test_the_version_imports_no_torch() -> None:
    code = "import sys\nfrom regen.cli import main\nmain(['--version'], standalone_mode=False)\n"
    code += "assert 'torch' not in sys.modules"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 0 and result.stdout.startswith("regen, version "), result.stderr


GROUPED = [verb for verb in VERBS if isinstance(main.commands[verb], Grouped)]


def headings(verb: str) -> list[str]:
    """Those of the groups, as the help shows them."""
    lines = CliRunner().invoke(main, [verb, "--help"]).stdout.splitlines()
    return [line[:-1] for line in lines if line.endswith(":") and not line.startswith(" ")]


def test_the_groups() -> None:
    assert headings("rewrite") == ["Data", "Method", "Research", "Machine", "Help"]
    assert headings("train-projector") == headings("rewrite")
    assert headings("generate") == ["Data", "Samples", "Machine", "Help"]
    assert headings("project") == ["Data", "Method", "Machine", "Help"]
    assert headings("train-generator")[-3:] == ["Measuring", "Machine", "Help"]


@pytest.mark.parametrize("verb", VERBS)
def test_many_options_are_grouped(verb: str) -> None:
    options = [p for p in main.commands[verb].params if isinstance(p, click.Option)]
    assert len(options) <= 8 or verb in GROUPED


@pytest.mark.parametrize("verb", GROUPED)
def test_every_option_is_shown_once_and_every_heading_has_its_first_option(verb: str) -> None:
    command = main.commands[verb]
    assert isinstance(command, Grouped)
    names = [p.name for p in command.params if isinstance(p, click.Option)]
    assert set(command.headings) <= set(names) and names[0] in command.headings
    lines = CliRunner().invoke(main, [verb, "--help"]).stdout.replace(",", " ").splitlines()
    first = [line.split()[0] for line in lines if line.startswith("  -")]
    for option in (p for p in command.params if isinstance(p, click.Option)):
        assert first.count(option.opts[0]) == 1, option.opts


@pytest.mark.parametrize("verb", VERBS)
def test_every_option_is_explained_in_a_phrase(verb: str) -> None:
    for option in main.commands[verb].params:
        if isinstance(option, click.Option):
            text = option.help or ""
            assert text[0].isupper() and len(text.split()) > 3, option.opts
            assert text.rstrip("]").endswith((".", "file")), option.opts


@pytest.mark.parametrize("verb", VERBS)
def test_no_option_shows_a_type_of_click(verb: str) -> None:
    text = CliRunner().invoke(main, [verb, "--help"]).stdout
    assert not any(word in text for word in ("INTEGER", "FLOAT", "RANGE", "PATH"))


@pytest.mark.parametrize("verb", GROUPED)
def test_the_example_at_the_end_parses(verb: str) -> None:
    *_, title, example = CliRunner().invoke(main, [verb, "--help"]).stdout.rstrip().splitlines()
    regen, name, *words = shlex.split(example)
    assert (title.strip(), regen, name) == ("Example:", "regen", verb)
    main.commands[verb].make_context(verb, words)

"""`regen.cli.common`: values, options that all commands share, and the command as a whole."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click
import pytest
import torch
from click.testing import CliRunner

from regen.cli import main
from regen.cli.common import BACKBONES, RewriteStrength, SeedRange, Setting, given
from regen.errors import RegenError
from regen.metrics import perceptual
from regen.projector.settings import ProjectorTrainingSettings
from regen.rewriting.memory import FitSettings
from regen.rewriting.settings import preset

VERBS = [
    "rewrite",
    "generate",
    "project",
    "train-generator",
    "train-projector",
    "convert",
    "info",
    "doctor",
]


@pytest.mark.parametrize(
    ("text", "seeds"),
    [
        ("7", (7,)),
        ("0-3", (0, 1, 2, 3)),
        ("1,5,7-9", (1, 5, 7, 8, 9)),
        (" 9 , 2 - 3", (9, 2, 3)),
        ("3,1-4,3", (3, 1, 2, 4)),
        ("4294967295", (4294967295,)),
    ],
)
def test_seeds(text: str, seeds: tuple[int, ...]) -> None:
    assert SeedRange().convert(text, None, None) == seeds


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "'' is not a list of seeds like 7, 0-63 or 1,5,7-9"),
        ("1,,2", "'1,,2' is not a list of seeds like 7, 0-63 or 1,5,7-9"),
        ("-3", "'-3' is not a list of seeds like 7, 0-63 or 1,5,7-9"),
        ("1.5", "'1.5' is not a list of seeds like 7, 0-63 or 1,5,7-9"),
        ("0-9-20", "'0-9-20' is not a list of seeds like 7, 0-63 or 1,5,7-9"),
        ("٣", "'٣' is not a list of seeds like 7, 0-63 or 1,5,7-9"),
        ("9-3", "'9-3' counts downwards; write 3-9"),
        ("4294967296", "4294967296 is no seed; the largest is 4294967295"),
        ("0-4000000000", "'0-4000000000' are more than 100000 seeds"),
    ],
)
def test_what_is_no_seed(text: str, problem: str) -> None:
    with pytest.raises(click.BadParameter) as caught:
        SeedRange().convert(text, None, None)
    assert caught.value.message == problem


@pytest.mark.parametrize(
    ("text", "path", "strength"),
    [
        ("r.safetensors", "r.safetensors", 1.0),
        ("r.safetensors:0.5", "r.safetensors", 0.5),
        ("r.safetensors:-1e-1", "r.safetensors", -0.1),
        (r"C:\runs\r.safetensors", r"C:\runs\r.safetensors", 1.0),
        (r"C:\runs\r.safetensors:2", r"C:\runs\r.safetensors", 2.0),
        ("C:5", "C:5", 1.0),
        ("a:b:r.safetensors", "a:b:r.safetensors", 1.0),
        ("a:b:r.safetensors:3", "a:b:r.safetensors", 3.0),
        ("missing:file", "missing:file", 1.0),
    ],
)
def test_strengths(text: str, path: str, strength: float) -> None:
    assert RewriteStrength().convert(text, None, None) == (Path(path), strength)


def test_a_file_whose_name_ends_like_a_strength(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("r:0.5").touch()
    assert RewriteStrength().convert("r:0.5", None, None) == (Path("r:0.5"), 1.0)
    assert RewriteStrength().convert("r:0.5:0.25", None, None) == (Path("r:0.5"), 0.25)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("r:strong", "'strong' behind the colon of 'r:strong' is not a number"),
        ("r:", "'' behind the colon of 'r:' is not a number"),
        ("r:nan", "strength nan of r is not finite"),
        ("r:inf", "strength inf of r is not finite"),
    ],
)
def test_what_is_no_strength(
    text: str, problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("r").touch()
    with pytest.raises(click.BadParameter) as caught:
        RewriteStrength().convert(text, None, None)
    assert caught.value.message == problem


def test_given_keeps_what_was_given_and_is_a_setting() -> None:
    options = {"steps": 3, "lr": None, "preserve_outside_match": False, "lpips": "vgg"}
    assert given(options, FitSettings) == {"steps": 3, "preserve_outside_match": False}


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
        ("rewrite", "steps", preset("default").fit),
        ("train-projector", "kimg", ProjectorTrainingSettings()),
    ],
)
def test_help_shows_the_defaults_of_the_settings(verb: str, name: str, settings: object) -> None:
    text = " ".join(CliRunner().invoke(main, [verb, "--help"]).stdout.split())
    shown = text.split(f"--{name} ")[1].split("[default: ")[1].split("]")[0]
    assert shown == str(getattr(settings, name))


@pytest.mark.parametrize("verb", ["rewrite", "train-projector"])
def test_every_setting_is_a_field_of_its_dataclass(verb: str) -> None:
    found = [p for p in main.commands[verb].params if isinstance(p, Setting)]
    assert len(found) > 8
    for option in found:
        assert option.name is not None and hasattr(option.default_from(), option.name)
        assert not option.required


def test_the_backbones_are_those_of_the_metric() -> None:
    assert tuple(perceptual.BACKBONES) == BACKBONES


def test_help_and_version_need_no_torch() -> None:
    code = (
        "import sys, click\nfrom regen.cli import main\n"
        "for words in (['--help'], ['--version'], ['generate', '--help']):\n"
        "    main(words, standalone_mode=False)\n"
        "assert 'torch' not in sys.modules and 'numpy' not in sys.modules\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert "regen, version " in result.stdout


def test_python_m_regen() -> None:
    words = [sys.executable, "-m", "regen", "generate", "--seeds", "x", "-o", "out"]
    result = subprocess.run(words, capture_output=True, text=True)
    assert result.returncode == 2
    assert (
        result.stderr.startswith("Usage: regen generate") and "'x' is not a list" in result.stderr
    )


def test_auto_is_the_cpu_without_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    device = next(p for p in main.commands["generate"].params if p.name == "device")
    assert device.callback is not None
    context = click.Context(main.commands["generate"])
    assert device.callback(context, device, "auto") == "cpu"
    with pytest.raises(RegenError, match="^--device: got cuda, which torch does not find here, "):
        device.callback(context, device, "cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert device.callback(context, device, "auto") == "cuda"


def test_threads_are_set(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(torch, "set_num_threads", asked.append)
    CliRunner().invoke(main, ["generate", "--threads", "3", "--generator", "none", "-o", "out"])
    assert asked == [3]


def test_a_bug_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def break_down() -> None:
        raise ValueError("a bug")

    monkeypatch.setattr("regen.doctor.diagnose", break_down)
    with pytest.raises(ValueError, match="a bug"):
        CliRunner().invoke(main, ["doctor"], catch_exceptions=False)

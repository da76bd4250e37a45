"""Comparing trainings on windows and on whole images: the machinery, on a tiny generator."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

from experiments.projector_windows import HeldOut, main
from regen.generators.stylegan2.files import save_stylegan2
from regen.generators.stylegan2.generator import StyleGAN2
from regen.metrics import load_lpips
from regen.projector.config import ProjectorConfig
from regen.projector.network import BackwardProjector


def test_errors_of_a_projector(generator: StyleGAN2) -> None:
    split = generator.split(6, 1)
    held_out = HeldOut.of(generator, split, 3)
    config = ProjectorConfig.for_split(split, generator, widths=(4,), blocks=(1,))
    errors = held_out.errors(BackwardProjector(config).eval(), split, load_lpips())
    assert all(value > 0 for value in errors.values())
    assert not torch.equal(held_out.plain, held_out.pasted)


def test_both_ways_are_measured(
    generator: StyleGAN2, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    save_stylegan2("tiny.safetensors", generator, card={})
    words = "--generator tiny.safetensors --value-layer 6 --seconds 0.01 --windows 0 --windows 16"
    ran = CliRunner().invoke(
        main,
        [*words.split(), "--samples", "9", "--batch", "2", "-o", "results"],
        catch_exceptions=False,
    )
    assert ran.exit_code == 0
    (found,) = json.loads(Path("results/projector_windows.json").read_text()).values()
    assert set(found["rows"]) == {"0", "16"} and found["settings"]["samples"] == 9
    assert Path("results/projector_windows_tiny_0_16.png").is_file()

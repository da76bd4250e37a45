"""The front door: what it offers, what it costs to import, and that the commands go through it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

import regen
from regen import api
from regen.errors import GeneratorError, ImageError, RewriteError
from regen.generators import bundled, registry
from regen.projector import files
from regen.rewriting import examples, resolve
from tests.helpers.processes import HANGING_SECONDS, imported_by

SIX_LINES = """
import regen
generator = regen.open_generator("g.safetensors")
edits = regen.read_edits("edits.json")
fit = regen.FitSettings(steps=4, preserve=4, precision="fp32")
settings = regen.RewriteSettings(fit=fit, measured_seeds=3)
rewrite = regen.rewrite(edits, generator, settings=settings)
rewrite.save("api.safetensors")
"""


def run(program: str, folder: Path) -> str:
    ran = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
        capture_output=True,
        text=True,
        timeout=HANGING_SECONDS,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_every_name_is_there() -> None:
    for name in regen.__all__:
        assert getattr(regen, name) is not None
    assert set(regen.__all__) <= set(dir(regen))
    with pytest.raises(AttributeError, match="module 'regen' has no attribute 'rewrit'"):
        regen.rewrit  # type: ignore[attr-defined]  # noqa: B018


def test_importing_regen_imports_neither_torch_nor_itself(tmp_path: Path) -> None:
    program = "import sys, regen; print('torch' in sys.modules, regen.__version__)"
    assert run(program, tmp_path) == f"False {regen.__version__}\n"
    assert imported_by("import regen", ("importlib.metadata", "email", "numpy")) == set()


def test_six_lines_give_the_bytes_of_the_command(world: Any) -> None:
    quick = ("--steps", "4", "--preserve", "4", "--seeds", "3", "--precision", "fp32")
    result = world.run("rewrite", "--edits", "edits.json", *quick, "-o", "out", "--device", "cpu")
    assert result.exit_code == 0, result.output
    run(SIX_LINES, world.folder)
    command = (world.folder / "out" / "rewrite.safetensors").read_bytes()
    assert (world.folder / "api.safetensors").read_bytes() == command


@pytest.mark.parametrize("try_layers", [False, True])
def test_each_thing_is_opened_once(
    world: Any, monkeypatch: pytest.MonkeyPatch, try_layers: bool
) -> None:
    """From the edits file to the fit: one generator, one projector for a layer, one exemplar."""
    seen: Counter[str] = Counter()

    def counting(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*given: Any, **more: Any) -> Any:
            seen[name] += 1
            return function(*given, **more)

        return counted

    monkeypatch.setattr(registry, "_read", counting("generator", registry._read))
    loaded = counting("projector", files.load_projector)
    for module in (files, resolve):
        monkeypatch.setattr(module, "load_projector", loaded)
    monkeypatch.setattr(resolve, "load_examples", counting("examples", examples.load_examples))
    settings = regen.RewriteSettings(fit=regen.FitSettings(steps=1, preserve=2, precision="fp32"))
    resolve.resolve("edits.json", settings=settings, try_layers=try_layers)
    assert seen == {"generator": 1, "projector": 1, "examples": 1}


def test_progress_and_stopping_are_arguments(world: Any) -> None:
    steps: list[int] = []
    settings = regen.RewriteSettings(
        fit=regen.FitSettings(steps=9, preserve=2, report_every=1, precision="fp32")
    )
    rewrite = regen.rewrite(
        "edits.json",
        settings=settings,
        on_step=lambda step, losses: steps.append(step),
        should_stop=lambda: len(steps) == 3,
    )
    assert steps == [0, 1, 2]
    assert rewrite.settings["interrupted_after_steps"] == 3


def test_a_rewrite_is_applied_to_a_copy(world: Any) -> None:
    generator = regen.open_generator("g.safetensors")
    settings = regen.RewriteSettings(fit=regen.FitSettings(steps=2, preserve=2, precision="fp32"))
    rewrite = regen.rewrite("edits.json", generator, settings=settings)
    before, digest = regen.generate(generator, seeds=[3, 4]), generator.digest()
    changed = rewrite.applied_to(generator)
    assert not torch.equal(regen.generate(changed, seeds=[3, 4]), before)
    assert torch.equal(regen.generate(generator, seeds=[3, 4]), before)
    assert generator.digest() == digest != changed.digest()
    same = [p is q for p, q in zip(generator.parameters(), changed.parameters(), strict=True)]
    assert same.count(False) == len(rewrite.deltas)
    with pytest.raises(RewriteError, match="belongs to another generator"):
        rewrite.applied_to(changed)


def test_generating_samples_and_truncated_seeds(world: Any) -> None:
    generator = regen.open_generator("g.safetensors")
    images = regen.generate(generator, [3], truncation=0.0)
    assert images.shape == (1, 3, 32, 32) and images.abs().max() <= 1
    samples = generator.source().samples([3, 4])
    assert torch.equal(
        regen.generate(generator, samples=samples), regen.generate(generator, range(3, 5))
    )
    with pytest.raises(GeneratorError, match="seeds: got none, expected at least one"):
        regen.generate(generator)


def test_projecting_a_file_and_a_tensor(world: Any) -> None:
    generator = regen.open_generator("g.safetensors")
    projector = regen.open_projector(generator, "p.safetensors")
    one = regen.project("cat.png", generator, projector, candidates=2)
    assert one.decoded.shape == (1, 3, 32, 32) and one.value.features.shape[1:] == (8, 16, 16)
    two = regen.project(torch.zeros(1, 3, 32, 32), generator, projector, candidates=0)
    assert two.decoded.shape == (1, 3, 32, 32)
    with pytest.raises(ImageError, match=r"dog.png does not exist"):
        regen.project("dog.png", generator, projector)


def test_a_converted_portrait_keeps_its_projectors_and_its_oracle(tmp_path: Path) -> None:
    portraits = regen.open_generator("portraits")
    from regen.runs.convert import convert

    convert("portraits", tmp_path / "other.pkl")
    with pytest.warns(registry.CheckpointWarning):
        again = regen.open_generator(tmp_path / "other.pkl")
    assert again.digest() == portraits.digest() and again.oracle == portraits.oracle
    assert regen.open_projector(again).value_layer == 10
    assert list(bundled.projectors_of(again.digest())) == [8, 10]


def test_the_public_names_are_those_of_the_api() -> None:
    own = {name for name in regen.__all__ if not name.startswith("__")}
    assert own <= set(api.__all__)

"""The record by which the registry knows StyleGAN2."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from regen.generators.native import open_file
from regen.generators.stylegan2.family import FAMILY
from regen.generators.stylegan2.generator import StyleGAN2
from regen.generators.stylegan2.training.discriminator import Discriminator
from regen.generators.stylegan2.training.discriminator_init import as_stored
from regen.unpickling import read_pickle, read_torch_file

Build = Callable[..., StyleGAN2]


def test_a_generator_is_described_by_its_architecture(build: Build) -> None:
    generator = build()
    wanted = {"architecture": asdict(generator.config), "resolution": 16}
    assert FAMILY.describe(generator) == wanted


def test_what_it_saves_it_loads(build: Build, tmp_path: Path) -> None:
    generator, path = build(), tmp_path / "g.safetensors"
    judge = as_stored(Discriminator(generator.config))
    for stored in (None, judge):
        FAMILY.save(path, generator, card={}, discriminator=stored)
        with open_file(path) as file:
            assert FAMILY.load(file).digest() == generator.digest()
            found = FAMILY.load_discriminator(file)
        header = None if found is None else found.header()
        assert header == (None if stored is None else stored.header())


def test_the_formats_that_it_writes_it_reads(build: Build, tmp_path: Path) -> None:
    generator = build(w_dim=6)
    assert {name: f.suffix for name, f in FAMILY.foreign_formats.items()} == {
        "nvidia": ".pkl",
        "rosinality": ".pt",
        "onnx": ".onnx",  # written, not read
    }
    for name, read in (("nvidia", read_pickle), ("rosinality", read_torch_file)):
        FAMILY.foreign_formats[name].write(tmp_path / name, generator, None)
        found = FAMILY.read_foreign(read(tmp_path / name), "G_ema", "it")
        assert found is not None and found.generator.digest() == generator.digest()
    assert FAMILY.read_foreign({"weights": 3}, "G_ema", "it") is None

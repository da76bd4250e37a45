"""Measuring a generator beside photographs that are named by person."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

from experiments.london_faces import Features, Photographs, main, quality
from regen.files.tensor_file import read_header
from regen.generators.registry import open_generator
from regen.generators.stylegan2.files import save_stylegan2
from regen.images import save_image
from tests.helpers.stylegan2 import seven_convolutions

PEOPLE = ("a", "a", "b", "b", "c", "c")


def features() -> Features:
    """Two photographs of each of three people, 1 apart, the people 10 apart."""
    rows = torch.tensor([[0.0], [1.0], [10.0], [11.0], [20.0], [21.0]])
    return Features(rows, rows + 1000, PEOPLE)


def test_distances_of_one_and_of_different_people() -> None:
    assert features().usual_distances() == {"same_person": 1.0, "another_person": 9.0}


def test_mirrored_photographs_count_as_the_same() -> None:
    rows = features().real
    mirrored = rows.roll(2, 0)  # the mirror image of each shows what another person looks like
    assert Features(rows, mirrored, PEOPLE).usual_distances()["another_person"] == 0


def test_copies_are_at_no_distance_and_cover_everything() -> None:
    known = features()
    measured = quality(known.real.repeat(2, 1), known)
    assert measured["nearest_photograph"] == 0
    assert measured["precision"] == measured["recall"] == 1
    far = quality(known.real + 500, known)
    assert far["precision"] == far["recall"] == 0
    assert far["frechet_distance"] > measured["frechet_distance"]


def test_halves_of_the_people_are_apart() -> None:
    assert features().halves() > 0


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    """Eight images of 32 pixels, of four people."""
    folder = tmp_path / "photographs"
    folder.mkdir()
    for person in range(4):
        for face in ("03", "08"):
            image = torch.rand(1, 3, 32, 32) * 2 - 1
            save_image(folder / f"{person:03}_{face}.png", image)
    return folder


def test_photographs_are_named_by_person(photographs: Path) -> None:
    read = Photographs.read(photographs, 32)
    assert read.images.shape == (8, 3, 32, 32) and read.images.abs().max() <= 1
    assert list(read.people) == [f"{person:03}" for person in range(4) for _ in range(2)]


def test_what_is_bundled_has_its_measures_in_its_header(photographs: Path, tmp_path: Path) -> None:
    torch.manual_seed(0)
    generator = seven_convolutions()
    half = {name: t.half().float() for name, t in generator.state_dict().items()}
    generator.load_state_dict(half)  # as a file in half precision gives it
    trained, places = tmp_path / "trained.safetensors", ("out", "bundled", "results")
    out, bundled, results = (tmp_path / place for place in places)
    save_stylegan2(trained, generator, card={})
    words = ["--generator", trained, "--images", photographs, "--samples", "40"]
    words += ["-o", out, "--bundle", bundled, "--results", results]
    ran = CliRunner().invoke(main, [str(word) for word in words], catch_exceptions=False)
    assert ran.exit_code == 0
    written = bundled / "london-faces.safetensors"
    header = read_header(written, format="generator")
    measured = json.loads((results / "london_faces.json").read_text())
    assert header["measures"]["truncation_1"] == measured["truncation_1"]
    assert header["licence"] == "CC BY 4.0" and "consented" in header["consent"]
    assert open_generator(written).digest() == generator.digest()
    shown = sorted(path.name for path in out.iterdir())
    assert shown == ["neighbours_0.8.png", "neighbours_1.png"]  # none of them in the results

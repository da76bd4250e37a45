"""What B sees beside an image of a generator that fills holes: the hole."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image

import regen
from regen.cli import main
from regen.errors import GeneratorError, ProjectorError
from regen.generators.rfr.files import save_rfr
from regen.images import load_image
from regen.images.regions import Region
from regen.projector.config import ProjectorConfig
from regen.projector.files import load_projector
from regen.projector.guide import guided
from regen.projector.sampling import Sampler
from regen.projector.settings import ProjectorTrainingSettings
from regen.runs.train_projector import default_value_layer
from tests.helpers.rfr import lively

SIZE = 32


def test_the_hole_is_a_further_channel() -> None:
    images, hole = torch.rand(2, 3, 4, 4), torch.ones(2, 1, 4, 4)
    assert torch.equal(guided(images, hole)[:, :3], images)
    assert torch.equal(guided(images, hole)[:, 3:], hole)
    assert guided(images, None) is images


def test_foreign_pieces_are_pasted_in_holes_only() -> None:
    generator = lively(people=True)
    split = generator.split(2, 1)
    config = ProjectorTrainingSettings(batch=6, composites=1.0)
    sampler = Sampler(generator, split, generator.source(), config, count=6, seed=1)
    pasted = 0.0
    for _ in range(3):
        batch = sampler.next_batch()
        assert batch.guide is not None and batch.seen.shape == (6, 4, SIZE, SIZE)
        plain = split.tail(batch.value)
        outside = (1 - batch.guide).expand_as(plain) == 1
        assert torch.equal(batch.image[outside], plain[outside])
        assert float((batch.pasted * (1 - batch.guide)).sum()) == 0
        pasted += float(batch.pasted.sum())
    assert pasted > 0


def test_the_architecture_has_a_guide_where_images_change_in_part() -> None:
    generator = lively()
    config = ProjectorConfig.for_split(generator.split(2, 1), generator)
    assert (config.guides, config.channels, config.ratio) == (1, 4, 1)
    with pytest.raises(ProjectorError, match="guides: got 2, expected 0 or 1"):
        ProjectorConfig(32, 8, 32, guides=2)
    assert default_value_layer(generator) == 2


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a generator, a picture of 32 x 32 and its mask, larger ones, and pictures."""
    monkeypatch.chdir(tmp_path)
    save_rfr(tmp_path / "g.safetensors", lively(), card={})
    random = np.random.default_rng(0)
    pixels = random.integers(0, 255, (SIZE, SIZE, 3), dtype=np.uint8)
    Image.fromarray(pixels).save("me.png")
    Image.fromarray(np.concatenate([pixels, pixels])).save("tall.png")
    mask = np.zeros((SIZE, SIZE), dtype=np.uint8)
    mask[10:20, 10:22] = 255
    Image.fromarray(mask).save("hole.png")
    Image.fromarray(np.concatenate([mask, mask])).save("tall_hole.png")
    (tmp_path / "pictures").mkdir()
    for number in range(8):
        (tmp_path / "pictures" / f"{number}.png").write_bytes(Path("me.png").read_bytes())
    return tmp_path


def run(*words: str) -> str:
    result = CliRunner().invoke(main, list(words))
    assert result.exit_code == 0, result.output
    return result.output


def test_train_and_project_with_a_hole(files: Path) -> None:
    g = ("--generator", "g.safetensors")
    pictures = files / "pictures"
    shown = ("--images", "pictures")
    said = run("train-projector", *g, *shown, "--kimg", "0.008", "--batch", "4", "-o", "p")
    assert " --images pictures --hole MASK IMAGE -o DIR" in said
    generator = regen.open_generator("g.safetensors")
    projector = load_projector("p", generator)
    assert projector.network.config.guides == 1 and projector.value_layer == 2
    run("project", "me.png", *g, *shown, "--projector", "p", "--hole", "hole.png", "-o", "out")
    assert sorted(path.name for path in Path("out").iterdir()) == [
        "me.features.safetensors",
        "me.png",
        "metrics.json",
    ]
    projection = regen.project(
        "me.png", generator, projector, images=pictures, hole=Region.box(10, 10, 22, 20)
    )
    shown_input = load_image("me.png", size=(SIZE, SIZE))
    known = torch.ones(1, 3, SIZE, SIZE, dtype=torch.bool)
    known[:, :, 10:20, 10:22] = False
    assert torch.allclose(projection.decoded[known], shown_input[known], atol=1e-6)
    with pytest.raises(ProjectorError, match="say where it can change"):
        projector(shown_input)
    with pytest.raises(GeneratorError, match=r"got 32 x 64, expected 32 x 32, or in proportion"):
        regen.project("tall.png", generator, projector, hole="tall_hole.png", images=pictures)
    with pytest.raises(GeneratorError, match="hole of the images to project: got none"):
        regen.project(shown_input, generator, projector, images=pictures)


@pytest.mark.parametrize(
    ("generator", "hole", "message"),
    [
        ("g.safetensors", (), "hole of the images to project: got none, expected a mask"),
        ("portraits", ("--hole", "hole.png"), "hole: got hole.png, expected none"),
    ],
)
def test_a_hole_is_asked_for_where_one_is_needed(
    files: Path, generator: str, hole: tuple[str, ...], message: str
) -> None:
    made: tuple[str, ...] = ()
    if generator != "portraits":
        save = ("--images", "pictures", "--kimg", "0.004", "--batch", "4", "-o", "p")
        run("train-projector", "--generator", generator, *save)
        made = ("--projector", "p", "--images", "pictures")
    words = ["project", "me.png", "--generator", generator, *made, *hole, "-o", "out"]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 2 and message in result.stderr

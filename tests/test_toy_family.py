"""Everything regen does, with a family that is not square, has no seeds, and takes a folder."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import PIL.Image
import pytest
import torch
from click.testing import CliRunner
from torch import Tensor

from regen import api
from regen.cli import main
from regen.edits.exemplars import Image
from regen.edits.schema import Edit, Edits, SampleSpec, Target
from regen.errors import EditsError, GeneratorError, RegenError, RewriteError, TrainingError
from regen.files import tensor_file
from regen.generators import families
from regen.generators.registry import open_generator
from regen.images import load_image, save_image
from regen.images.regions import Region
from regen.projector.project import Projection
from regen.projector.settings import ProjectorTrainingSettings
from regen.rewriting.preview import preview
from regen.rewriting.resolve import resolve
from regen.rewriting.rewrite import Rewrite
from regen.rewriting.settings import FitSettings, RewriteSettings
from regen.rewriting.task import Task
from regen.runs import generate, project, train_projector
from regen.runs.convert import convert
from regen.runs.info import describe
from regen.runs.rewrite.run import run_rewrite
from tests.toy_family import CHANNELS, FAMILY, SIZE, Toy

HEIGHT, WIDTH = SIZE
IMAGES = 18
NAMES = [f"{number:02}.png" for number in range(IMAGES)]
TARGETS = (0, 6)  # their images have a disc at the left and one further to the right
TRAINING = ProjectorTrainingSettings(kimg=0.48, batch=8, precision="fp32")
SHORT = replace(TRAINING, kimg=0.024)
FIT = FitSettings(steps=60, preserve=6, preserve_batch=3, precision="fp32")
SETTINGS = RewriteSettings(fit=FIT, memory_layers=2, measured_seeds=4)


@dataclass(frozen=True)
class World:
    """A folder with everything.

    Attributes:
        generator: File of a toy whose cuts give keys.
        keyless: File of one whose cuts give none.
        images: Folder of `IMAGES` images, some of another size.
        exemplar: An image of 40 x 30 pixels, striped in its middle.
        trained: Run folder of a training of a projector for value layer 3.
        early: The same, shorter and for value layer 2.
    """

    generator: Path
    keyless: Path
    images: Path
    exemplar: Path
    trained: Path
    early: Path


@pytest.fixture(scope="module", autouse=True)
def registered() -> Iterator[None]:
    """The toy is a family that regen knows."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(families.FAMILIES, "toy", "tests.toy_family")
        yield


@pytest.fixture(scope="module")
def world(registered: None, tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("world")
    made = World(
        *(folder / name for name in ("a.safetensors", "b.safetensors")),
        folder / "in",
        folder / "stripes.png",
        folder / "trained",
        folder / "early",
    )
    FAMILY.save(made.generator, Toy(), card={})
    FAMILY.save(made.keyless, Toy(keyed=False), card={})
    made.images.mkdir()
    for number, name in enumerate(NAMES):
        save_image(made.images / name, _scene(number))
    save_image(made.exemplar, _stripes())
    train_projector.train(made.generator, made.trained, TRAINING, value_layer=3, images=made.images)
    train_projector.train(made.generator, made.early, SHORT, value_layer=2, images=made.images)
    return made


def _scene(number: int) -> Tensor:
    """A white disc before two dark colours; every sixth is larger than the generator takes."""
    scale = 2 if number % 6 == 5 else 1
    random = torch.Generator().manual_seed(number)
    x = (torch.arange(WIDTH * scale) + 0.5) / scale
    y = (torch.arange(HEIGHT * scale) + 0.5)[:, None] / scale
    one, other = torch.rand(2, 3, 1, 1, generator=random) - 0.8
    inside = ((x - _centre(number)).square() + (y - 8).square()).sqrt() < 4
    return torch.where(inside, 0.9, one.lerp(other, (x / WIDTH).expand(len(y), -1)))[None]


def _centre(number: int) -> float:
    return 6.0 + 4 * (number % 4)


def _stripes() -> Tensor:
    image = torch.full((1, 3, 30, 40), -0.5)
    image[:, :, 8:22, 12:28] = torch.tensor([1.0, 1.0, -1.0, -1.0]).repeat(4)
    return image


def edits(
    world: World, *, generator: Path | None = None, pictures: Sequence[int] = TARGETS
) -> Edits:
    """Stripes for the discs of some of the images."""
    targets = [
        Target(
            SampleSpec(picture=Image(str(world.images / NAMES[number]))),
            Region.box(_centre(number) - 4, 4, _centre(number) + 4, 12),
        )
        for number in pictures
    ]
    edit = Edit(Image(str(world.exemplar)), Region.box(12, 8, 28, 22), tuple(targets))
    return Edits(
        (edit,),
        generator=str(generator or world.generator),
        projector=str(world.trained / "projector.safetensors"),
    )


def written(edits: Edits, path: Path) -> Path:
    """An edits file of these edits."""
    path.write_text(json.dumps(edits.to_json()))
    return path


def task(world: World, **more: Any) -> Task:
    return resolve(edits(world), settings=SETTINGS, images=world.images, **more)


def run(*words: object) -> str:
    """What a command prints, if it succeeds."""
    result = CliRunner().invoke(main, [str(word) for word in words], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def size_of(path: Path) -> tuple[int, int]:
    """Width and height of an image that can be opened."""
    with PIL.Image.open(path) as image:
        image.load()
        return image.size


def test_the_file_is_opened_by_the_family_that_it_names(world: World) -> None:
    generator = api.open_generator(world.generator)
    assert isinstance(generator, Toy) and generator.digest() == Toy().digest()
    assert (generator.source_name, generator.oracle) == (str(world.generator), None)


def test_samples_are_images_of_a_folder_and_nothing_else(world: World) -> None:
    generator = api.open_generator(world.generator)
    with pytest.raises(GeneratorError, match="got no folder, expected a folder of images"):
        generator.source()
    with pytest.raises(GeneratorError, match="seed of a sample: got 3, expected a picture"):
        api.generate(generator, seeds=[3])
    source = generator.source(world.images)
    picture = generator.sample({"picture": str(world.images / "03.png")})
    assert (picture.index, source.index_of(picture)) == (None, 3)
    assert source.index_of(generator.sample({"picture": str(world.exemplar)})) is None
    images = api.generate(generator, samples=[picture, *source.samples([3, 5])])
    assert images.shape == (3, 3, HEIGHT, WIDTH)
    assert torch.equal(images[0], images[1]) and not torch.equal(images[1], images[2])


def _distance(projection: Projection, image: Tensor) -> float:
    return (projection.decoded - image).abs().mean().item()


def test_a_trained_projector_knows_the_generators_images(world: World) -> None:
    generator = api.open_generator(world.generator)
    assert {path.name for path in world.trained.iterdir()} > {
        "checkpoint.pt",
        "projector.safetensors",
        "settings.json",
    }
    settings = json.loads((world.trained / "settings.json").read_text())
    assert (settings["value_layer"], settings["images"]) == (3, str(world.images))
    projector = api.open_projector(generator, world.trained)
    assert projector.network.config.image_size == SIZE
    assert projector.network.config.value_shape == (CHANNELS, HEIGHT // 2, WIDTH // 2)
    image = api.generate(generator, samples=generator.source(world.images).samples([7]))
    first = api.project(image, generator, projector, images=world.images)
    again = api.project(image, generator, projector, images=world.images)
    assert first.value.features.shape == (1, CHANNELS, HEIGHT // 2, WIDTH // 2)
    assert first.decoded.shape == image.shape and torch.equal(first.decoded, again.decoded)
    for parameter in projector.network.parameters():
        parameter.zero_()
    untrained = api.project(image, generator, projector, images=world.images)
    assert _distance(first, image) < 0.75 * _distance(untrained, image)


def test_without_images_nothing_is_projected(world: World) -> None:
    generator = api.open_generator(world.generator)
    projector = api.open_projector(generator, world.trained)
    with pytest.raises(GeneratorError, match="expected a folder of images"):
        api.project(world.exemplar, generator, projector)


def test_a_training_is_resumed_with_its_own_images_only(world: World, tmp_path: Path) -> None:
    shutil.copytree(world.early, tmp_path / "run")
    other = tmp_path / "others"
    other.mkdir()
    shutil.copy(world.images / "01.png", other)
    with pytest.raises(TrainingError, match="cannot resume .*: samples: got"):
        train_projector.train(
            world.generator, tmp_path / "run", SHORT, value_layer=2, images=other, resume=True
        )
    longer = replace(SHORT, report_every_kimg=0.5)
    trained = train_projector.train(
        world.generator, tmp_path / "run", longer, value_layer=2, images=world.images, resume=True
    )
    assert trained is not None
    before = tensor_file.load(world.early / "projector.safetensors").tensors
    after = tensor_file.load(trained.path).tensors
    assert all(torch.equal(after[name], tensor) for name, tensor in before.items())


def test_image_files_are_projected_into_a_folder(world: World, tmp_path: Path) -> None:
    results, metrics = project.project_images(
        [world.exemplar, world.images / "02.png"],
        tmp_path / "out",
        project.ProjectSettings(candidates=4),
        generator=world.generator,
        projector=world.trained,
        sample_images=world.images,
    )
    generator = api.open_generator(world.generator)
    projector = api.open_projector(generator, world.trained)
    wanted = api.project(world.exemplar, generator, projector, candidates=4, images=world.images)
    stored = tensor_file.load(tmp_path / "out" / "stripes.features.safetensors", format="features")
    assert torch.equal(stored.tensors["features"], wanted.value.features)
    assert stored.header["family"] == "toy"
    width, height = size_of(tmp_path / "out" / "stripes.png")  # of two, twice as large, labelled
    assert width >= 2 * 2 * WIDTH and height > 2 * HEIGHT
    assert metrics["lpips"]["unavailable"].startswith("images of 16x24 pixels are too small")
    image = load_image(world.exemplar, size=SIZE)
    assert results[0].projected["l1"] == pytest.approx(_distance(wanted, image))
    assert results[1].projected["lpips"] is None and results[1].projected["ssim"] is not None


def test_a_preview_shows_what_will_be_asked_for(world: World) -> None:
    seen = preview(task(world), samples=4)
    assert seen.targets.shape == seen.composites.shape == (2, 3, HEIGHT, WIDTH)
    changed = (seen.composites - seen.targets).abs().amax(dim=(1,))
    assert changed[0, 5:11, 3:9].min() > 0 and changed[0, :2].max() == 0
    assert seen.decoded.shape == seen.targets.shape
    assert seen.unseen.shape == (4, 3, HEIGHT, WIDTH) and seen.maps.shape == (4, 1, HEIGHT, WIDTH)
    assert 0 <= seen.maps.min() < 0.1 and 0.5 < seen.maps.max() <= 1
    assert len(set(seen.labels)) == 4 and not {NAMES[t] for t in TARGETS} & set(seen.labels)


def _errors(world: World, rewrite: Rewrite) -> tuple[float, float]:
    """Errors inside the targets' regions, after over before, and change outside over inside."""
    made = task(world)
    seen = preview(made)
    generator = rewrite.applied_to(made.generator)
    samples = [generator.sample({"picture": str(world.images / NAMES[t])}) for t in TARGETS]
    after = api.generate(generator, samples=samples)
    region = torch.cat([e.target_region.mask(*SIZE) for e in made.examples])

    def mean(difference: Tensor, mask: Tensor) -> float:
        return ((difference.abs() * mask).sum() / mask.sum()).item()

    inside = mean(after - seen.composites, region) / mean(seen.targets - seen.composites, region)
    change = after - seen.targets
    return inside, mean(change, 1 - region) / mean(change, region)


@pytest.mark.parametrize("solver", ["adam", "closed-form", "both"])
def test_a_rule_is_learned(world: World, solver: Any) -> None:
    settings = replace(SETTINGS, fit=replace(FIT, solver=solver))
    rewrite = api.rewrite(edits(world), settings=settings, images=world.images)
    assert set(rewrite.deltas) == {
        f"middle.{i}.{part}" for i in (2, 3) for part in ("weight", "bias")
    }
    assert rewrite.family == "toy"
    inside, outside = _errors(world, rewrite)
    assert inside < 0.8 and outside < 0.5, (inside, outside)


def test_a_rewrite_is_a_value(world: World, tmp_path: Path) -> None:
    generator = api.open_generator(world.keyless)
    digest = generator.digest()
    said = edits(world, generator=world.keyless)
    rewrite = api.rewrite(said, generator, settings=SETTINGS, images=world.images)
    assert generator.digest() == rewrite.base == digest
    rewrite.save(tmp_path / "a.safetensors")
    loaded = Rewrite.load(tmp_path / "a.safetensors")
    loaded.save(tmp_path / "b.safetensors")
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()
    samples = generator.source(world.images).samples(range(4))
    plain, full, none, half = (
        api.generate(g, samples=samples)
        for g in (
            generator,
            loaded.applied_to(generator),
            rewrite.scaled(0).applied_to(generator),
            rewrite.scaled(0.5).applied_to(generator),
        )
    )
    assert torch.equal(plain, none)
    assert 0 < (half - plain).abs().mean() < (full - plain).abs().mean()


@pytest.mark.parametrize("solver", ["closed-form", "both"])
def test_without_keys_there_is_no_closed_form(world: World, solver: Any) -> None:
    said = edits(world, generator=world.keyless)
    settings = replace(SETTINGS, fit=replace(FIT, solver=solver))
    with pytest.raises(RewriteError, match="no closed form; use --solver adam"):
        api.rewrite(said, settings=settings, images=world.images)


def test_without_a_folder_nothing_is_rewritten(world: World) -> None:
    with pytest.raises(GeneratorError, match="expected a folder of images"):
        api.rewrite(edits(world), settings=SETTINGS)


def test_moments_of_the_users_images_are_not_kept(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGEN_CACHE", str(tmp_path / "cache"))
    settings = replace(SETTINGS, fit=replace(FIT, solver="closed-form"))
    api.rewrite(edits(world), settings=settings, images=world.images)
    assert not (tmp_path / "cache").exists()
    assert not world.generator.with_suffix(".keys").exists()


def test_the_run_folder(world: World, tmp_path: Path) -> None:
    out = tmp_path / "out"
    outcome = run_rewrite(edits(world), out, SETTINGS, images=world.images)
    assert {path.name for path in out.iterdir()} > {
        "before_after.png",
        "edits.json",
        "metrics.json",
        "report.html",
        "rewrite.safetensors",
        "settings.json",
    }
    api.rewrite(edits(world), settings=SETTINGS, images=world.images).save(tmp_path / "same")
    assert (tmp_path / "same").read_bytes() == (out / "rewrite.safetensors").read_bytes()
    metrics = json.loads((out / "metrics.json").read_text())
    assert (metrics["region_source"], metrics["oracle"], metrics["seeds"]) == (
        "similarity",
        None,
        4,
    )
    assert metrics["inside"]["lpips"] is None and "16x24" in metrics["lpips"]["unavailable"]
    assert metrics["inside"]["l1"] > 2 * metrics["outside"]["l1"] > 0
    assert outcome.metrics == metrics
    assert json.loads((out / "settings.json").read_text())["images"] == str(world.images)
    page = (out / "report.html").read_text()
    assert "LPIPS could not be measured: images of 16x24" in page
    assert all(NAMES[t] not in page.split("<h2>The targets</h2>")[0] for t in TARGETS)
    assert (
        f"regen generate --generator {world.generator.name} --rewrite rewrite.safetensors" in page
    )
    assert f"--images {world.images.name} -o images" in page
    width, height = size_of(out / "before_after.png")
    assert width > 4 * 2 * WIDTH and height > 4 * 2 * HEIGHT


def test_a_picture_that_is_none_is_named_by_its_place_in_the_edits(world: World) -> None:
    (edit,) = edits(world).edits
    wrong = Target(SampleSpec(3), edit.targets[0].region)
    said = replace(edits(world), edits=(replace(edit, targets=(edit.targets[0], wrong)),))
    with pytest.raises(EditsError, match=r"^edits\[0\].targets\[1\]: seed of a sample: got 3"):
        api.rewrite(said, settings=SETTINGS, images=world.images)


def test_regions_are_pixels_of_the_images(world: World) -> None:
    (edit,) = edits(world).edits
    tall = replace(edit.targets[0], region=Region.box(2, 10, 8, 20))
    said = replace(edits(world), edits=(replace(edit, targets=(tall,)),))
    with pytest.raises(RegenError, match="expected x from 0 to 24 and y from 0 to 16"):
        api.rewrite(said, settings=SETTINGS, images=world.images)


def test_the_value_layer_can_be_chosen_by_trying(world: World) -> None:
    projectors = [world.early, world.trained]
    chosen = task(world, try_layers=True, projectors=projectors)
    assert chosen.layer_choice is not None
    tried = {(t.value_layer, t.memory_layers) for t in chosen.layer_choice.trials}
    assert tried == {(2, 1), (2, 2), (3, 1), (3, 2)}
    assert chosen.layer_choice.held_out == NAMES[TARGETS[1]]
    assert chosen.layer_choice.without_projector == [1]
    best = chosen.layer_choice.best
    assert best.rank == min(t.rank for t in chosen.layer_choice.trials)
    assert (chosen.split.value_layer, chosen.projector.value_layer) == (best.value_layer,) * 2


def test_images_of_a_folder_are_generated(world: World, tmp_path: Path) -> None:
    rewrite = api.rewrite(edits(world), settings=SETTINGS, images=world.images)
    rewrite.save(tmp_path / "r.safetensors")
    settings = generate.GenerateSettings((), images=world.images)
    for name, rewrites in (("plain", []), ("changed", [(tmp_path / "r.safetensors", 0.5)])):
        files = generate.generate_images(world.generator, rewrites, settings, tmp_path / name)
        assert [path.name for path in files] == [*NAMES, "grid.png"]
        assert size_of(files[0]) == (WIDTH, HEIGHT)
        width, height = size_of(files[-1])
        assert width == 5 * (64 + 6) - 6 and height >= 4 * 2 * HEIGHT
    plain, changed = (load_image(tmp_path / name / NAMES[0]) for name in ("plain", "changed"))
    assert not torch.equal(plain, changed)
    some = replace(settings, seeds=(7, 2), grid=False)
    files = generate.generate_images(world.generator, [], some, tmp_path / "some")
    assert [path.name for path in files] == ["07.png", "02.png"]
    assert files[1].read_bytes() == (tmp_path / "plain" / "02.png").read_bytes()


def test_results_never_replace_an_image_or_each_other(world: World, tmp_path: Path) -> None:
    for name in ("a.jpg", "a.png", "grid.png"):
        shutil.copy(world.images / "00.png", tmp_path / name)
    settings = generate.GenerateSettings((), images=tmp_path)
    with pytest.raises(GeneratorError, match="is the folder of images: expected another one"):
        generate.generate_images(world.generator, [], settings, tmp_path / "." / "")
    files = generate.generate_images(world.generator, [], settings, tmp_path / "out")
    assert [path.name for path in files] == ["a.png", "a-2.png", "grid-2.png", "grid.png"]


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"seeds": (18,)}, "image: got 18, expected 0 to 17"),
        ({"seeds": (0,), "images": None}, "seed of a sample: got 0, expected a picture"),
        ({"truncation": 0.5}, "options beside a folder of images: got truncation, expected none"),
    ],
)
def test_what_cannot_be_generated(
    world: World, tmp_path: Path, settings: dict[str, Any], problem: str
) -> None:
    with pytest.raises(GeneratorError, match=problem):
        made = generate.GenerateSettings(**{"seeds": (), "images": world.images, **settings})
        generate.generate_images(world.generator, [], made, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_generator_of_seeds_takes_no_folder(world: World) -> None:
    with pytest.raises(GeneratorError, match="source of samples: got the folder"):
        api.open_generator("portraits").source(world.images)


def test_the_commands(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    device, data = ("--device", "cpu"), ("--generator", world.generator, "--images", world.images)
    words = ("--kimg", "0.016", "--batch", "4", "--value-layer", "3", "--precision", "fp32")
    said = run("train-projector", *data, *words, "-o", tmp_path / "b", *device)
    assert f"--images {world.images} IMAGE" in said
    projector = ("--projector", tmp_path / "b" / "projector.safetensors")
    run("project", *data, *projector, world.exemplar, "-o", tmp_path, *device)
    assert (tmp_path / "stripes.features.safetensors").is_file()
    path = written(edits(world), tmp_path / "edits.json")
    words = ("--images", world.images, "--steps", "3", "--seeds", "2", "--memory-layers", "1")
    said = run("rewrite", "--edits", path, *projector, *words, "-o", tmp_path, *device)
    use = said.split("Use it: regen ")[1].split()
    assert use[:2] == ["generate", "--generator"]
    assert f"{IMAGES} images in {tmp_path / 'sheet'}" in run(*use, *device)
    assert size_of(tmp_path / "sheet" / "17.png") == (WIDTH, HEIGHT)
    assert "1 image in" in run("generate", *data, "--seed", "3", "-o", tmp_path / "one", *device)
    facts = run("info", tmp_path / "rewrite.safetensors", "--generator", world.generator)
    assert str(world.generator) in facts


def test_its_files_are_converted_and_explained(world: World, tmp_path: Path) -> None:
    target = tmp_path / "copy.safetensors"
    done = convert(world.generator, target)
    opened = open_generator(target)
    assert (done.format, done.image_size, done.digest) == ("native", SIZE, opened.digest())
    facts = describe(target)
    assert (facts["family"], facts["image_size"], facts["convolutions"]) == ("toy", list(SIZE), 3)
    assert facts["architecture"] == {"keyed": True} and opened.source_name == str(target)


def test_what_its_family_lacks_is_said(world: World, tmp_path: Path) -> None:
    with pytest.raises(GeneratorError, match=r"g.pkl: suffix: got .pkl, expected .safetensors; na"):
        convert(world.generator, tmp_path / "g.pkl")
    with pytest.raises(GeneratorError, match="has no discriminator that can be kept"):
        convert(world.generator, tmp_path / "d.safetensors", which="D")
    with pytest.raises(GeneratorError, match="generators of the family toy cannot be trained"):
        families.trainer_of("toy")

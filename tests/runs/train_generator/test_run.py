"""The run around a training, with a stub in place of the family's trainer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from regen import batches
from regen.errors import TrainingError
from regen.files import tensor_file
from regen.files.run_files import CHECKPOINT_FILE
from regen.generators.protocol import Generator
from regen.generators.registry import open_generator
from regen.generators.stylegan2.config import StyleGAN2Config
from regen.generators.stylegan2.generator import StyleGAN2
from regen.generators.trainer import Listeners, Log, Report
from regen.images import load_image, save_image
from regen.runs.train_generator.measure import MeasureSettings
from regen.runs.train_generator.run import train
from regen.training.checkpoint import AnotherTrainingError

NOTHING = MeasureSettings(samples=0)
TINY = StyleGAN2Config(8, 4, 4, channel_base=32, channel_max=4, mapping_layers=1)


def stripes(numbers: Sequence[int], *, vary_noise: bool = False) -> Tensor:
    """Sample n is a grey of n / 36."""
    greys = torch.tensor([number / 18 - 1 for number in numbers])
    return greys[:, None, None, None].expand(-1, 3, 8, 8)


@dataclass
class Stub:
    """Plan, training and result in one, of which each only says what it was asked."""

    steps: int = 4
    stops_after: int = 4
    asked: dict[str, Any] = field(default_factory=dict)

    sizes = (8, 16)
    size = 8
    batch_images = 250
    generator: Generator = field(default_factory=lambda: StyleGAN2(TINY))
    discriminator = None
    sample = staticmethod(stripes)

    def settings(self) -> dict[str, Any]:
        return {"taste": "sweet", "steps": self.steps}

    def advice(self, images: int) -> list[str]:
        return [f"{images} images are not many"]

    def initialize(self, device: torch.device, log: Log) -> Stub:
        log("two networks")
        self.asked["device"] = device
        return self

    def train(
        self,
        images: Tensor,
        *,
        folder: Path,
        resume: bool,
        minutes: float | None,
        listeners: Listeners,
    ) -> Stub:
        self.asked.update(images=images, folder=folder, resume=resume, minutes=minutes)
        assert listeners.on_step and listeners.on_report and listeners.on_snapshot
        listeners.on_snapshot(0, stripes)
        for step in range(1, self.stops_after + 1):
            listeners.on_step(step)
        listeners.on_report(Report(4, 1.0, {"generator": 0.5}))
        return self

    @property
    def steps_done(self) -> int:
        return self.stops_after

    def notes(self) -> list[str]:
        return ["It is a stub"]

    def card(self) -> dict[str, Any]:
        return {"training": {"taste": "sweet", "weights": (1, 2)}}


@pytest.fixture
def faces(tmp_path: Path) -> Path:
    (tmp_path / "faces").mkdir()
    for i in range(3):
        save_image(tmp_path / "faces" / f"{i}.png", torch.full((1, 3, 8, 8), i / 3))
    return tmp_path / "faces"


def test_what_a_family_is_asked(faces: Path, tmp_path: Path) -> None:
    stub, folder = Stub(), tmp_path / "run"
    train(faces, folder, stub, measured=NOTHING, minutes=3)
    asked = stub.asked
    assert (asked["device"], asked["folder"]) == (torch.device("cpu"), folder)
    assert (asked["resume"], asked["minutes"]) == (False, 3)
    assert asked["images"].shape == (3, 3, 8, 8) and asked["images"].dtype == torch.uint8


def test_what_a_run_leaves(faces: Path, tmp_path: Path) -> None:
    stub, folder, said = Stub(), tmp_path / "run", list[str]()
    done = train(faces, folder, stub, measured=NOTHING, licence="CC0", log=said.append)
    assert done is not None and done.path == folder / "generator.safetensors"
    assert (done.scalars, done.measures) == ({"generator": 0.5}, {})
    assert said == [
        "two networks",
        "3 images of 8x8 to train on",
        "  3 images are not many",
        "It is a stub",
    ]
    header = tensor_file.read_header(done.path)
    assert header["training"] == {"taste": "sweet", "weights": [1, 2]}
    assert (header["kimg"], header["licence"]) == (1.0, "CC0")
    assert header["provenance"] == (
        "trained by `regen train-generator` on 3 images of the folder faces"
    )
    assert open_generator(done.path).digest() == stub.generator.digest()
    settings = (folder / "settings.json").read_text()
    assert '"taste": "sweet"' in settings and '"images":' in settings


def test_sheets_show_the_samples_in_their_order(faces: Path, tmp_path: Path) -> None:
    train(faces, tmp_path / "run", Stub(), measured=NOTHING)
    sheet = load_image(tmp_path / "run" / "samples.png")
    corners = [sheet[0, 0, 4, 4].item(), sheet[0, 0, -4, -4].item()]
    assert corners == pytest.approx([-1, 35 / 18 - 1], abs=0.02)
    names = sorted(path.name for path in (tmp_path / "run" / "snapshots").iterdir())
    assert names == ["000000.00kimg.png", "real.png"]


def test_samples_of_the_sheet_are_computed_as_few_at_once_as_suit_their_size(
    faces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    together: list[int] = []

    class Counting(Stub):
        def sample(self, numbers: Sequence[int]) -> Tensor:  # type: ignore[override]
            together.append(len(numbers))
            return stripes(numbers)

    train(faces, tmp_path / "usual", Counting(), measured=NOTHING)
    monkeypatch.setattr(batches, "_USUAL_PIXELS", 4 * 4)  # 8x8 is large
    train(faces, tmp_path / "large", Counting(), measured=NOTHING)
    assert together == [36, 9, 9, 9, 9]
    one, other = (tmp_path / run / "samples.png" for run in ("usual", "large"))
    assert one.read_bytes() == other.read_bytes()


def test_time_that_is_up_is_said(faces: Path, tmp_path: Path) -> None:
    said = list[str]()
    train(faces, tmp_path / "run", Stub(stops_after=2), measured=NOTHING, log=said.append)
    assert said[-2].startswith("Time is up: ") and said[-1] == "It is a stub"
    header = tensor_file.read_header(tmp_path / "run" / "generator.safetensors")
    assert header["kimg"] == 0.5


def test_measures_are_in_the_header(faces: Path, tmp_path: Path) -> None:
    done = train(faces, tmp_path / "run", Stub(), measured=MeasureSettings(samples=4))
    assert done is not None
    assert done.measures["features"] == "none: images are smaller than 32 pixels"
    header = tensor_file.read_header(done.path)
    assert header["measures"] == done.measures


def test_a_folder_of_images_is_not_a_run_folder(faces: Path) -> None:
    stub = Stub()
    with pytest.raises(TrainingError, match="run folder: .* is the folder of images; choose anoth"):
        train(faces, faces, stub)
    assert stub.asked == {}


def test_an_interrupted_training_says_so(
    faces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> Stub:
        raise KeyboardInterrupt

    stub = Stub()
    monkeypatch.setattr(stub, "train", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train(faces, tmp_path / "run", stub, measured=NOTHING)
    assert not (tmp_path / "run" / "generator.safetensors").exists()


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (AnotherTrainingError("ckpt: images", name="images"), "^ckpt: images have changed; resume"),
        (AnotherTrainingError("ckpt: seed", name="seed"), "^ckpt: seed$"),
        (TrainingError("too few: images"), "^too few: images$"),
    ],
)
def test_images_that_have_changed_are_known_by_what_differs(
    error: TrainingError,
    message: str,
    faces: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refused(*_: object, **__: object) -> Stub:
        raise error

    stub, folder = Stub(), tmp_path / "run"
    folder.mkdir()
    (folder / CHECKPOINT_FILE).touch()
    monkeypatch.setattr(stub, "train", refused)
    with pytest.raises(TrainingError, match=message):
        train(faces, folder, stub, measured=NOTHING, resume=True)

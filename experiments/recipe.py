"""What the recipes of generators share: a training that goes on, its log, and its results."""

from __future__ import annotations

import json
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from regen.files.atomic import atomic_write
from regen.images import save_image

RESULTS = Path(__file__).parent / "results"
EVERY = 50  # steps between records and checkpoints
_PARTS = ("network", "average", "guide", "optimizer")


class Training(ABC):
    """A network in training; random numbers are those of the step.

    Attributes:
        step: Steps done.
        network: What is trained.
        average: Its moving average, which is the result; it has a `config`.
        guide: A convolution that is thrown away afterwards.
        optimizer: Of network and guide.
    """

    step: int = 0
    network: Any
    average: Any
    guide: nn.Module
    optimizer: torch.optim.Optimizer

    @abstractmethod
    def train_step(self) -> dict[str, float]:
        """One step; returns the losses."""

    def state(self) -> dict[str, object]:
        """Everything a resumed run needs."""
        return {"step": self.step, **{name: getattr(self, name).state_dict() for name in _PARTS}}

    def load(self, state: dict[str, Any]) -> None:
        """Continue from `state`."""
        for name in _PARTS:
            getattr(self, name).load_state_dict(state[name])
        self.step = int(state["step"])


T = TypeVar("T", bound=Training)


def train(
    trainer: T, steps: int, folder: Path, minutes: float, sheet: Callable[[T], Tensor]
) -> Iterator[dict[str, object]]:
    """Train, yielding a record every `EVERY` steps; goes on from the folder's checkpoint.

    Args:
        trainer: What is trained.
        steps: How many in all.
        folder: Gets checkpoint.pt and sheet.png with every record, and generator.pt at the end.
        minutes: After which this piece ends.
        sheet: Shows what has been learned, ``[1, 3, H, W]`` in [-1, 1].

    Raises:
        SystemExit: If a loss is not finite.
    """
    checkpoint = folder / "checkpoint.pt"
    if checkpoint.exists():
        trainer.load(torch.load(checkpoint, weights_only=True))
    began, first = time.perf_counter(), trainer.step
    sums: dict[str, list[float]] = {}
    while trainer.step < steps and time.perf_counter() - began < minutes * 60:
        for name, value in trainer.train_step().items():
            sums.setdefault(name, []).append(value)
        if trainer.step % EVERY == 0 or trainer.step == steps:
            means = {k: round(sum(v) / len(v), 5) for k, v in sums.items()}
            if not all(math.isfinite(v) for v in means.values()):
                raise SystemExit(f"loss is not finite at step {trainer.step}: {means}")
            each = (time.perf_counter() - began) / (trainer.step - first)
            yield {"step": trainer.step, "seconds_per_step": round(each, 3), **means}
            sums = {}
            save_image(folder / "sheet.png", sheet(trainer))
            _save(trainer.state(), checkpoint)
    if trainer.step == steps:
        average: nn.Module = trainer.average
        result = {"config": asdict(trainer.average.config), "state": average.state_dict()}
        _save(result, folder / "generator.pt")


def log_records(records: Iterable[Mapping[str, object]], folder: Path) -> None:
    """Print records, and append them to log.jsonl in a run folder."""
    with (folder / "log.jsonl").open("a") as log:
        for record in records:
            line = json.dumps(record)
            print(line, flush=True)
            log.write(line + "\n")
            log.flush()


def history(folder: Path) -> dict[str, Any]:
    """The settings and the log of a run folder."""
    lines = (folder / "log.jsonl").read_text().splitlines()
    settings = json.loads((folder / "settings.json").read_text())
    return {"settings": settings, "log": [json.loads(line) for line in lines]}


def card(recipe: str) -> dict[str, Any]:
    """What the file of a bundled generator says of where it comes from.

    Args:
        recipe: Name of the recipe's folder.
    """
    return {
        "provenance": f"trained by experiments/{recipe} on images of regen's portrait renderer",
        "licence": "Apache-2.0",
    }


def write_results(
    recipe: str, measures: Mapping[str, Any], folder: Path, sheet: Tensor, results: Path = RESULTS
) -> None:
    """Print what was measured of a trained generator, and write it with the training's history.

    Args:
        recipe: Name of the recipe's folder; the files are NAME_generator.json and .png.
        measures: JSON values.
        folder: Run folder of the training.
        sheet: Shows what the generator makes, ``[1, 3, H, W]`` in [-1, 1].
        results: Where to write to; made where it does not exist.
    """
    results.mkdir(exist_ok=True)
    whole = json.dumps({**measures, "training": history(folder)}, indent=1)
    (results / f"{recipe}_generator.json").write_text(whole + "\n")
    save_image(results / f"{recipe}_generator.png", sheet)
    print(json.dumps(measures, indent=1), flush=True)


def _save(content: object, path: Path) -> None:
    with atomic_write(path) as temporary:
        torch.save(content, temporary)

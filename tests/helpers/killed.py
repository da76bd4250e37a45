"""The commands that `tests.kill_trials` kills, the world they work in, and what must be left."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.helpers.editor_hand import work_at_the_editor
from tests.helpers.world import VALUE_LAYER, tiny_generator, tiny_projector

_OF_A_RULE = ("edits.json", "settings.json", "losses.json", "rewrite.safetensors")
_SNAPSHOT = "snapshots/000000.04kimg.png"
_KEY = re.compile(rb'"([0-9a-f]{8})"')  # names of paintings, targets and rules, drawn at random


@dataclass(frozen=True)
class Command:
    """A command whose results do not depend on when it is killed.

    Attributes:
        words: Of its command line; results go to the folder out.
        results: Reads what must be that of a run that nobody killed, by name.
        kept: File in out from which the command goes on, "" where it begins anew.
        first: Further words where there is no such file.
        again: Further words where there is one.
        code: Of its exit when it has done what it was asked for.
        beside: Someone who uses it while it runs: given the world, the log and its process.
    """

    words: tuple[str, ...]
    results: Callable[[Path], dict[str, bytes]]
    kept: str = ""
    first: tuple[str, ...] = ()
    again: tuple[str, ...] = ()
    code: int = 0
    beside: Callable[[Path, Path, int], None] | None = None

    def goes_on(self, out: Path) -> bool:
        """Whether it goes on from what a killed run has left."""
        return self.kept != "" and (out / self.kept).exists()

    def line(self, out: Path) -> tuple[str, ...]:
        """The command line that begins it, or goes on with it."""
        return (*self.words, "-o", "out", *(self.again if self.goes_on(out) else self.first))


def read(path: Path) -> bytes:
    """The content of a file, or nothing if there is none."""
    return path.read_bytes() if path.is_file() else b""


def files(*names: str) -> Callable[[Path], dict[str, bytes]]:
    """Results that are files."""
    return lambda out: {name: read(out / name) for name in names}


def session(out: Path) -> dict[str, bytes]:
    """What an editor has kept; keys are named in the order in which they appear."""
    kept = read(out / "session.json")
    keys = list(dict.fromkeys(_KEY.findall(kept)))
    named = _KEY.sub(lambda found: b'"key %d"' % keys.index(found[1]), kept)
    results = {"session.json": named, **files("export/mine-rewrite.safetensors")(out)}
    for number, rule in enumerate(json.loads(kept or b"{}").get("rules", [])):
        folder = out / "rules" / rule["key"]
        results |= {f"rule {number}/{name}": read(folder / name) for name in _OF_A_RULE}
    return results | {path.name: read(path) for path in sorted((out / "pictures").glob("*"))}


def unwanted(out: Path) -> list[str]:
    """What a finished run must not leave: temporary files, second events, parts of rules."""
    names = [path.name for path in out.rglob("*")]
    left = [name for name in names if name.startswith(".")]
    events = [name for name in names if name.startswith("events.out.tfevents.")]
    resumed = (out / "checkpoint.pt").exists()  # each of its processes has events of its own
    left += events if len(events) > 1 and not resumed else []
    for rule in (out / "rules").glob("*"):
        left += [f"{rule.name} without {n}" for n in _OF_A_RULE if not (rule / n).is_file()]
    return left


COMMANDS = {
    "rewrite": Command(
        ("rewrite", "--edits", "edits.json", "--steps", "8", "--preserve", "2", "--seeds", "2"),
        files("rewrite.safetensors", "before_after.png", "settings.json", "edits.json"),
    ),
    "edit": Command(
        ("edit", "g.safetensors", "--no-browser"),
        session,
        kept="session.json",
        first=("--edits", "edits.json"),
        code=130,
        beside=work_at_the_editor,
    ),
    "train-projector": Command(
        ("train-projector", "--generator", "g.safetensors", "--batch", "4", "--kimg", "0.04")
        + ("--checkpoint-every-kimg", "0.012"),
        files("projector.safetensors", "settings.json"),
        kept="checkpoint.pt",
        again=("--resume",),
    ),
    "train-generator": Command(
        ("train-generator", "images", "--size", "32", "--batch-images", "4", "--channel-base")
        + ("256", "--length-kimg", "0.04", "--measure-samples", "0", "--enlarge")
        + ("--checkpoint-every-kimg", "0.012", "--snapshot-every-kimg", "0.02"),
        files("generator.safetensors", "samples.png", "settings.json", _SNAPSHOT),
        kept="checkpoint.pt",
        again=("--resume",),
    ),
}


def make_world(folder: Path) -> None:
    """A tiny random generator, its projector, an edits file, and images to train on."""
    import torch

    from regen.generators.stylegan2.files import save_stylegan2
    from regen.images import save_image
    from regen.projector.files import save_projector

    generator = tiny_generator(1)
    save_stylegan2(folder / "g.safetensors", generator, card={})
    projector = tiny_projector(generator)
    save_projector(folder / "p.safetensors", projector, generator, VALUE_LAYER, card={})
    (folder / "images").mkdir()
    for number in range(6):
        save_image(folder / "images" / f"{number}.png", torch.rand(1, 3, 32, 32) * 2 - 1)
    region = {"box": [8, 8, 20, 18]}
    edit = {
        "exemplar": "images/0.png",
        "region": region,
        "targets": [{"seed": 3, "region": region}],
    }
    content: dict[str, Any] = {"version": 1, "generator": "g.safetensors", "edits": [edit]}
    content |= {"projector": "p.safetensors", "value_layer": VALUE_LAYER, "memory_layers": 2}
    (folder / "edits.json").write_text(json.dumps(content))

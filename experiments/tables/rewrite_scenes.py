"""What Table 2 rewrites: a pattern, exemplars and targets, chosen by a rule and not by looking.

The rule, for the bundled portraits. *Pose* is what places the eyes and the nose in the image and
says where they look; *looks* are the colours. Distances are Euclidean, each attribute in units of
its range.

1. Candidates are the quarter of the seeds 0 to 255 whose pose is nearest to the middle of all
   ranges.
2. The first target is the candidate with the most central pose. Each further one is the candidate
   whose looks are farthest from those of the targets before it (from the nearest of them).
3. The exemplar of a target is the seed from 1000 to 2999 nearest to it in pose; the renderer draws
   that person with the pattern.

For any other generator an edits file says all of this.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from regen.edits.schema import Edit, Edits, NamedRegion, Pattern, SampleSpec, Target
from regen.portraits import PATTERNS, attributes, seed_to_z
from regen.portraits.traits import PALETTES, RANGES

PATTERN_ROWS = ("cat_eyes", "gear_eyes", "sunglasses", "red_nose")
POSE = (
    "shift_x",
    "shift_y",
    "scale",
    "tilt",
    "turn",
    "face_width",
    "eye_size",
    "eye_spacing",
    "eye_openness",
    "gaze",
    "nose_length",
    "nose_width",
)
_TARGETS_FROM = range(256)
_EXEMPLARS_FROM = range(1000, 3000)


@dataclass(frozen=True)
class Scene:
    """A rewrite to make.

    Attributes:
        pattern: Name of the pattern, or of the edits file.
        targets: How many samples are edited.
        edits: The edits file that says the same.
        given: The edits as they were given, where a command line puts another value layer or
            projector in place of theirs; otherwise None.
    """

    pattern: str
    targets: int
    edits: Edits
    given: Edits | None = None

    @property
    def name(self) -> str:
        """For messages and folders, "cat_eyes-3" for instance."""
        return f"{self.pattern}-{self.targets}"


def portraits_scene(pattern: str, targets: int) -> Scene:
    """A scene of the bundled portraits. Raises RegenError if there is no such pattern."""
    chosen = target_seeds(targets)
    region = NamedRegion(PATTERNS[pattern].region)
    edits = [
        Edit(Pattern(pattern, exemplar), region, (Target(SampleSpec(seed), region),))
        for seed, exemplar in zip(chosen, exemplar_seeds(chosen), strict=True)
    ]
    return Scene(pattern, targets, Edits(tuple(edits), oracle=pattern))


def scene_of_file(edits: Edits, path: Path) -> Scene:
    """The scene of an edits file."""
    return Scene(path.stem, sum(len(edit.targets) for edit in edits.edits), edits)


def ordered_scenes(patterns: tuple[str, ...], targets: tuple[int, ...]) -> list[Scene]:
    """What matters most first: the first pattern, then the others, most targets first."""
    most_first = sorted(targets, reverse=True)
    pairs = [(pattern, count) for pattern in patterns[:1] for count in most_first]
    pairs += [(pattern, count) for count in most_first for pattern in patterns[1:]]
    return [portraits_scene(pattern, count) for pattern, count in pairs]


def target_seeds(count: int) -> list[int]:
    """Seeds of targets, by the rule; fewer are the first of more."""
    seeds = list(_TARGETS_FROM)
    pose, looks = _pose(seeds), _looks(seeds)
    order = (pose - 0.5).norm(dim=1).argsort(stable=True)
    pool = order[: len(seeds) // 4].tolist()
    chosen = [pool[0]]
    while len(chosen) < count:
        away = torch.cdist(looks[pool], looks[chosen]).amin(dim=1)
        chosen.append(pool[int(away.argmax())])
    return [seeds[i] for i in chosen]


def exemplar_seeds(targets: list[int]) -> list[int]:
    """The seed nearest in pose to each target, by the rule."""
    nearest = torch.cdist(_pose(targets), _pose(list(_EXEMPLARS_FROM))).argmin(dim=1)
    return [_EXEMPLARS_FROM[int(i)] for i in nearest]


def _pose(seeds: list[int]) -> Tensor:
    """``[N, 12]`` in [0, 1]: places in the ranges of the attributes that make up the pose."""
    people = attributes(seed_to_z(seeds))
    columns = [
        (getattr(people, name) - RANGES[name][0]) / (RANGES[name][1] - RANGES[name][0])
        for name in POSE
    ]
    return torch.stack(columns, dim=1)


def _looks(seeds: list[int]) -> Tensor:
    """``[N, 18]``: the colours."""
    people = attributes(seed_to_z(seeds))
    return torch.cat([getattr(people, name) for name in PALETTES], dim=1)

"""What is computed for a session; runs in the worker's thread and knows nothing of pages.

Everything returned is JSON; images are data URIs, see `regen.editor.encoding`.
"""

from __future__ import annotations

import base64
import json
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regen.editor.document import Document, Rule
from regen.editor.encoding import map_uri, mask_image_uri, picture_uri
from regen.editor.export import commands, export
from regen.editor.kept import Kept
from regen.editor.painting import Json, Painting, Picture, Target
from regen.editor.sampling import GridOptions, Sampling
from regen.editor.strokes import painted, rasterized
from regen.errors import RegenError
from regen.files.as_json import to_json
from regen.files.atomic import write_json

if TYPE_CHECKING:
    from torch import Tensor

    from regen.api import Learned, RewriteSettings, Sample, Task, View

UNSEEN = 8
GRID = 24
LARGEST_PICTURE = 1600  # pixels a side of an exemplar; a larger one is reduced when it is brought
DRAFT: dict[str, object] = {"fit.steps": 20, "fit.preserve": 16, "fit.report_every": 4}
WITHOUT_CLOSED_FORM: dict[str, object] = {"fit.steps": 60, "fit.report_every": 10}
_BUNDLED = {"cat": "skimage:chelsea"}
_FIRST_ROW, _ROWS = 3, 7  # samples that are generated together: few at first, to see something
_PNG = "data:image/png;base64,"


@dataclass(frozen=True)
class LearnedRule:
    """What came of learning.

    Attributes:
        key: Under which its files are kept.
        stopped_after: Steps after which it was stopped, or None.
        seconds: How long it took.
    """

    key: str
    stopped_after: int | None
    seconds: float


class Engine:
    """A generator on its workbench, and the rewrites of the session.

    Args:
        generator: Name or path.
        kept: The session's folder.
        images: Folder that the generator takes its samples from, if it needs images.
        device: Where to compute; "auto" is a GPU where torch finds one.

    Raises:
        RegenError: If the generator cannot be opened, or has no projector.
    """

    def __init__(
        self, generator: str, kept: Kept, images: Path | None = None, device: str = "auto"
    ) -> None:
        from regen import api

        self.api, self.kept, self.name = api, kept, generator
        self.generator = api.open_generator(generator, device=_device(device))
        self.bench = api.Workbench(self.generator, images=images, unseen=UNSEEN)
        self.images = None if images is None else images.resolve()
        self.sampling = Sampling(self.bench, self.images)
        self._rewrites: dict[str, Any] = {}

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the generator's images."""
        return self.sampling.size

    def described(self) -> Json:
        """What a page says of the generator."""
        from regen.runs.convert import formats_of

        return {
            "name": Path(self.name).name,
            "family": self.generator.family,
            "formats": formats_of(self.generator),
            **self.sampling.described(),
        }

    def check_sample(self, request: Mapping[str, Any]) -> str:
        """The label of the sample that a request describes. Raises RegenError if there is none."""
        return self.sampling.label(request)

    def own_size(self, request: Mapping[str, Any]) -> tuple[int, int] | None:
        """Height and width of an image of a person's own, None for other samples."""
        return self.sampling.own_size(request)

    def unseen(self, painting: Painting) -> list[Json]:
        """The unseen samples without a rule: none of a painting's targets, in their manner."""
        view = self._view(painting)
        return _labelled(view.labels, view.images)

    def _view(self, painting: Painting) -> View:
        complete = [t for t in painting.targets if not (self.sampling.holes and t.lacks_hole)]
        return self.bench.view([self._sample(target) for target in complete])

    def _sample(self, target: Target) -> Sample:
        return self.sampling.sample(target.described(self.size))

    def grid(
        self,
        first: int,
        options: GridOptions,
        show: Callable[[list[Json]], None],
        go_on: Callable[[], bool],
    ) -> None:
        """Samples to choose targets from, shown as they come.

        Args:
            first: Number of the first.
            options: What they have in common.
            show: Called with all that are there so far.
            go_on: Whether anybody still waits for them.
        """
        count = self.bench.source.count
        last = first + GRID if count is None else min(first + GRID, count)
        cells: list[Json] = []
        while first + len(cells) < last:
            if not go_on():
                return
            start = first + len(cells)
            numbers = range(start, min(start + (_ROWS if cells else _FIRST_ROW), last))
            cells += self._cells(list(numbers), options)
            show(list(cells))

    def warm(self) -> None:
        """Compute what every preview needs, so that the first is as quick as those after it."""
        self.bench.warm()

    def _cells(self, numbers: list[int], options: GridOptions) -> list[Json]:
        samples, requests = self.sampling.numbered(numbers, options)
        cells = _labelled([sample.label for sample in samples], self.generator.images(samples))
        return [{**cell, "sample": request} for cell, request in zip(cells, requests, strict=True)]

    def target(self, target: Target) -> Json:
        """The images of a target without a rule.

        Returns:
            ``image``, and where there is such a thing ``given`` to the generator, the ``whole`` of
            that, and a veil over what is ``known`` and cannot change.
        """
        images = self.sampling.images_of(target.described(self.size), target.own_size)
        shown = {"image": images.image, "given": images.given, "whole": images.whole}
        uris = {name: picture_uri(one) for name, one in shown.items() if one is not None}
        if images.changeable is not None:
            uris["known"] = map_uri(1 - images.changeable)
        return uris

    def bundled(self, name: str) -> tuple[Picture, str]:
        """A photograph that an installed package brings, and its image.

        Raises:
            RegenError: If the package is not installed, or there is no such photograph.
        """
        if name not in _BUNDLED:
            raise RegenError("picture", got=name, expected=" or ".join(_BUNDLED))
        source = _BUNDLED[name]
        return self._picture(source, name, self.api.exemplar_image(source))

    def brought(self, data: bytes, name: str) -> tuple[Picture, str]:
        """An image that a person brought, kept without metadata, and its image.

        Raises:
            ImageError: If it cannot be read, or is too large.
        """
        brought = self.api.bring(data, LARGEST_PICTURE, name=name)
        path = self.kept.picture(brought.png)
        alpha = _PNG + base64.b64encode(brought.alpha).decode() if brought.alpha else ""
        return self._picture(str(path), name, self.api.exemplar_image(str(path)), alpha)

    def _picture(
        self, source: str, name: str, image: Tensor, alpha: str = ""
    ) -> tuple[Picture, str]:
        height, width = int(image.shape[2]), int(image.shape[3])
        return Picture(source, name, height, width, alpha), picture_uri(image[0])

    def shown(self, picture: Picture) -> str:
        """The image of an exemplar."""
        return picture_uri(self.api.exemplar_image(picture.source)[0])

    def edits_json(self, painting: Painting) -> Json:
        """The edits file of a painting that lacks nothing."""
        content = self.clipped(painting).edits_json(self.name, self.size)
        if self.images is not None:
            content["samples"] = {**content.get("samples", {}), "pictures": str(self.images)}
        return content

    def clipped(self, painting: Painting) -> Painting:
        """A painting without what was painted where images cannot change."""
        if not self.sampling.holes:
            return painting
        changeable = {
            target.key: self.sampling.changeable(target.described(self.size))
            for target in painting.targets
            if not target.lacks_hole
        }
        masks = {k: m.byte().numpy() for k, m in changeable.items() if m is not None}
        return painting.clipped(masks, self.size)

    def missing(self, painting: Painting) -> str:
        """What must be done before there is a rule, or "" where nothing is."""
        missing = painting.missing(self.size, holes=self.sampling.holes)
        if missing:
            return missing
        missing = self.clipped(painting).missing(self.size)
        return f"{missing}, inside of its hole" if missing else ""

    def _task(self, painting: Painting) -> Task:
        return self.bench.task(self.api.edits_of(self.edits_json(painting), file="painting"))

    def preview(self, painting: Painting) -> Json:
        """What the rule would do, before anything is learned.

        Raises:
            RegenError: If the painting is not complete, or not usable.
        """
        began = time.perf_counter()
        with _remarks() as remarks:
            missing = self.missing(painting)
            seen = None if missing else self._previewed(painting)
        if seen is None:
            return {"missing": missing, "targets": [], "maps": [], "warnings": []}
        seen["warnings"] = [*dict.fromkeys(remarks), *seen["warnings"]]
        return {**seen, "milliseconds": round(1000 * (time.perf_counter() - began))}

    def _previewed(self, painting: Painting) -> Json:
        task = self._task(painting)
        seen = self.bench.preview(task)
        first = {key: row for row, key in reversed(list(enumerate(self._rows(painting))))}
        targets = [
            {
                "target": target.key,
                "composite": picture_uri(seen.composites[first[target.key]]),
                "decoded": ""
                if seen.decoded is None
                else picture_uri(seen.decoded[first[target.key]]),
            }
            for target in painting.targets
        ]
        return {
            "missing": "",
            "targets": targets,
            "maps": [map_uri(one[0]) for one in seen.maps],
            "warnings": [caution.text for caution in seen.cautions],
        }

    def _rows(self, painting: Painting) -> list[str]:
        """The target of each row of the rule; one with several holes has several rows."""
        groups = self.clipped(painting).grouped(self.size)
        return [target.key for _, group in groups for target in group for _ in _margins(target)]

    def rewrite(self, key: str) -> Any:
        """A rule's rewrite; read from its file once."""
        if key not in self._rewrites:
            self._rewrites[key] = self.api.Rewrite.load(self.kept.rewrite(key))
        return self._rewrites[key]

    def after(
        self, painting: Painting, applied: Sequence[tuple[str, float]], partial: Any = None
    ) -> list[str]:
        """The unseen samples of a painting with rules, and with what is being learned."""
        rewrites = [(self.rewrite(key), strength) for key, strength in applied]
        if partial is not None:
            rewrites.append((partial, 1.0))
        return [
            picture_uri(image) for image in self.bench.after(rewrites, view=self._view(painting))
        ]

    def targets_after(
        self, painting: Painting, applied: Sequence[tuple[str, float]]
    ) -> dict[str, str]:
        """The painting's targets with rules, by key."""
        targets = [t for t in painting.targets if not (self.sampling.holes and t.lacks_hole)]
        if not targets:
            return {}
        samples = [self._sample(target) for target in targets]
        rewrites = [(self.rewrite(key), strength) for key, strength in applied]
        images = self.bench.after(rewrites, samples)
        keys = [target.key for target in targets]
        return {key: picture_uri(image) for key, image in zip(keys, images, strict=True)}

    def suggest(self, target: Target, x: float, y: float, wanted: str = "") -> list[Json]:
        """Regions of a target around a point, the most particular first.

        Args:
            target: The sample.
            x, y: The point, in pixels.
            wanted: Name of a region to put first wherever it is, if the generator has it.

        Returns:
            ``name``, to display, and ``mask``, a data URI, of each.
        """
        sample, found = self._sample(target), []
        oracle = self.generator.oracle
        if oracle is not None and oracle.knows(sample):
            named = [(name, oracle.region(name, [sample])) for name in oracle.regions]
            hit = [one for one in named if _covers(one[1], x, y) or one[0] == wanted]
            found += sorted(hit, key=lambda one: (one[0] != wanted, float(one[1].sum())))
        found.append(("what looks alike", self.bench.part_at(sample, x, y)))
        return [{"name": name, "mask": mask_image_uri(mask)} for name, mask in found]

    def carried(self, painting: Painting, target: Target) -> dict[str, str]:
        """The region of a target, found in the painting's other targets: masks by their keys.

        Raises:
            RegenError: If nothing is painted on the target, or there are no others.
        """
        others = [one for one in painting.targets if one.key != target.key]
        if painted(target.strokes, self.size) is None or not others:
            problem = "paint on this target first" if others else "there is no other target"
            raise RegenError(f"find it in the other targets: {problem}")
        import torch

        region = torch.from_numpy(rasterized(target.strokes, self.size) / 255).float()
        samples = [self._sample(one) for one in others]
        masks = self.bench.same_part(self._sample(target), region[None, None], samples)
        return {one.key: mask_image_uri(m[None]) for one, m in zip(others, masks, strict=True)}

    def settings(self, kind: str) -> RewriteSettings:
        """Settings of a draft, or those that `regen rewrite` has by default."""
        plain = self.api.RewriteSettings()
        return plain.changed(self._draft) if kind == "draft" else plain

    @cached_property
    def _draft(self) -> Mapping[str, object]:
        """Where a fit has nothing to start from, it needs more steps, which are quicker there."""
        usual = self.bench.task(self.api.Edits(edits=())).settings
        return DRAFT if usual.fit.solver != "adam" else {**DRAFT, **WITHOUT_CLOSED_FORM}

    def _given(self, kind: str) -> Json:
        """The settings that are not the generator's usual ones, for ``--config``."""
        given: Json = {}
        for name, value in (self._draft if kind == "draft" else {}).items():
            *parts, own = name.split(".")
            (given.setdefault(parts[0], {}) if parts else given)[own] = value
        return given

    def _embedded(self, painting: Painting) -> Json:
        """The edits file with its images inside; those of the folder of samples stay there."""
        content = self.edits_json(painting)
        embedded = self.api.edits_of(content, file="painting").to_json(embed=True)
        for edit, written in zip(content["edits"], embedded["edits"], strict=True):
            for target, inside in zip(edit["targets"], written["targets"], strict=True):
                inside |= {key: target[key] for key in ("picture",) if key in target}
        return embedded

    def learn(
        self,
        painting: Painting,
        kind: str,
        key: str,
        *,
        on_step: Callable[[int, int, float], None],
        on_partial: Callable[[Any], None],
        should_stop: Callable[[], bool],
    ) -> LearnedRule:
        """Learn a painting's rule, and keep it under `key`.

        It is learned from the edits file that is kept, so the command line repeats it.

        Raises:
            RegenError: If the painting is not usable, or the fit diverges.
        """
        began = time.perf_counter()
        settings = self.settings(kind)
        file = self.kept.write_rule(key, self._embedded(painting), self._given(kind))
        task = self.bench.task(self.api.read_edits(file), settings)
        steps = task.settings.fit.steps or 1
        learned = self.bench.learn(
            task,
            on_step=lambda step, terms: on_step(step, steps, terms["total"]),
            on_partial=lambda _, rewrite: on_partial(rewrite),
            should_stop=should_stop,
        )
        self._keep(learned, key)
        return LearnedRule(key, learned.stopped_after, time.perf_counter() - began)

    def export(self, document: Document, what: str) -> Path:
        """Make a file to hand out; see `regen.editor.export`."""
        return export(self, document, what)

    def commands(self, document: Document) -> str:
        """The commands that repeat the session."""
        return commands(self, document)

    def write_report(self, rule: Rule, folder: Path, command: str) -> None:
        """Measure a rule on unseen samples, and write its report into a folder."""
        from regen.runs.rewrite.conclude import conclude
        from regen.runs.timing import Stopwatch

        settings = self.settings(rule.kind)
        task = self.bench.task(self.api.read_edits(folder / "edits.json"), settings)
        losses = json.loads((folder / "losses.json").read_text(encoding="utf-8"))
        learned = self.bench.learned(task, self.rewrite(rule.key), losses, rule.stopped_after)
        conclude(task, learned, folder, Stopwatch(), command)

    def _keep(self, learned: Learned, key: str) -> None:
        write_json(self.kept.rule(key) / "losses.json", to_json(learned.losses))
        learned.rewrite.save(self.kept.rewrite(key))
        self._rewrites[key] = learned.rewrite


@contextmanager
def _remarks() -> Iterator[list[str]]:
    """What a generator warns of inside of the block: holes that it cannot fill, for instance."""
    said: list[str] = []
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        yield said
    families = (one for one in seen if one.category.__module__.startswith("regen.generators."))
    said += [str(one.message) for one in families]


def _margins(target: Target) -> list[int]:
    """Of a target's hole; each makes a row of the rule."""
    margins = {} if target.hole else target.sample.get("hole", {})
    grow = margins.get("grow", 0)
    return grow if isinstance(grow, list) else [grow]


def _device(name: str) -> str:
    import torch

    if name != "auto":
        return name
    return "cuda" if torch.cuda.is_available() else "cpu"


def _covers(mask: Tensor, x: float, y: float) -> bool:
    """Whether the point lies in a mask ``[1, 1, H, W]``."""
    height, width = mask.shape[2:]
    return bool(mask[0, 0, min(int(y), height - 1), min(int(x), width - 1)] > 0.3)


def _labelled(labels: Sequence[str], images: Tensor) -> list[Json]:
    return [
        {"label": label, "image": picture_uri(image)}
        for label, image in zip(labels, images, strict=True)
    ]

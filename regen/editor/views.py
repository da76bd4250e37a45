"""Samples as pages see them: the grid, the targets and the unseen ones, with rules and without.

All images are data URIs, see `regen.editor.encoding`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from regen.editor.encoding import map_uri, picture_uri
from regen.editor.painting import Json, Painting, Target
from regen.editor.rules import Rules
from regen.editor.sampling import GridOptions, Sampling

if TYPE_CHECKING:
    from torch import Tensor

    from regen.api import Rewrite, View

GRID = 24
_FIRST_ROW, _ROWS = 3, 7  # samples that are generated together: few at first, to see something


class Views:
    """What pages see of a generator's samples.

    Args:
        sampling: The generator's samples.
        rules: With their rewrites.
    """

    def __init__(self, sampling: Sampling, rules: Rules) -> None:
        self.sampling, self.rules, self.bench = sampling, rules, sampling.bench

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

    def _cells(self, numbers: list[int], options: GridOptions) -> list[Json]:
        samples, requests = self.sampling.numbered(numbers, options)
        images = self.bench.generator.images(samples)
        cells = _labelled([sample.label for sample in samples], images)
        return [{**cell, "sample": request} for cell, request in zip(cells, requests, strict=True)]

    def target(self, target: Target) -> Json:
        """The images of a target without a rule.

        Returns:
            ``image``, and where there is such a thing ``given`` to the generator, the ``whole`` of
            that, and a veil over what is ``known`` and cannot change.
        """
        images = self.sampling.images_of(target.described(self.sampling.size), target.own_size)
        shown = {"image": images.image, "given": images.given, "whole": images.whole}
        uris = {name: picture_uri(one) for name, one in shown.items() if one is not None}
        if images.changeable is not None:
            uris["known"] = map_uri(1 - images.changeable)
        return uris

    def targets_after(
        self, painting: Painting, applied: Sequence[tuple[str, float]]
    ) -> dict[str, str]:
        """The painting's targets with rules, by key; those that lack their hole are left out."""
        targets = self._complete(painting)
        if not targets:
            return {}
        samples = [self.sampling.of_target(target) for target in targets]
        images = self.bench.after(self._rewrites(applied), samples)
        keys = [target.key for target in targets]
        return {key: picture_uri(image) for key, image in zip(keys, images, strict=True)}

    def unseen(self, painting: Painting) -> list[Json]:
        """The unseen samples without a rule: none of a painting's targets, in their manner."""
        view = self._unseen(painting)
        return _labelled(view.labels, view.images)

    def after(
        self,
        painting: Painting,
        applied: Sequence[tuple[str, float]],
        partial: Rewrite | None = None,
    ) -> list[str]:
        """The unseen samples of a painting with rules, and with what is being learned."""
        rewrites = self._rewrites(applied)
        if partial is not None:
            rewrites.append((partial, 1.0))
        images = self.bench.after(rewrites, view=self._unseen(painting))
        return [picture_uri(image) for image in images]

    def _unseen(self, painting: Painting) -> View:
        targets = self._complete(painting)
        return self.bench.view([self.sampling.of_target(target) for target in targets])

    def _complete(self, painting: Painting) -> list[Target]:
        return [t for t in painting.targets if not (self.sampling.holes and t.lacks_hole)]

    def _rewrites(self, applied: Sequence[tuple[str, float]]) -> list[tuple[Rewrite, float]]:
        return [(self.rules.rewrite(key), strength) for key, strength in applied]


def _labelled(labels: Sequence[str], images: Tensor) -> list[Json]:
    return [
        {"label": label, "image": picture_uri(image)}
        for label, image in zip(labels, images, strict=True)
    ]

"""A painting as what its generator can learn: its edits file, and what it still lacks.

Where a generator fills holes, images can change inside of them alone; what was painted outside of
the hole does not count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from regen import api
from regen.editor.as_edits import edits_json, missing
from regen.editor.painting import Json, Painting
from regen.editor.sampling import Sampling

if TYPE_CHECKING:
    from regen.api import Task, Workbench


class Tasks:
    """The tasks that paintings are for one generator.

    Args:
        name: Name or path of the generator, as edits files have it.
        bench: With the generator.
        sampling: Its samples.
    """

    def __init__(self, name: str, bench: Workbench, sampling: Sampling) -> None:
        self.name, self.bench, self.sampling = name, bench, sampling

    def task(self, painting: Painting) -> Task:
        """What `regen rewrite` would learn of a painting that lacks nothing.

        Raises:
            RegenError: If it is not usable.
        """
        return self.bench.task(api.edits_of(self.edits_json(painting), file="painting"))

    def edits_json(self, painting: Painting) -> Json:
        """The edits file of a painting that lacks nothing."""
        content = edits_json(self.clipped(painting), self.name, self.sampling.size)
        if self.sampling.images is not None:
            pictures = str(self.sampling.images)
            content["samples"] = {**content.get("samples", {}), "pictures": pictures}
        return content

    def embedded(self, painting: Painting) -> Json:
        """The edits file with its images inside; those of the folder of samples stay there."""
        content = self.edits_json(painting)
        embedded = api.edits_of(content, file="painting").to_json(embed=True)
        for edit, written in zip(content["edits"], embedded["edits"], strict=True):
            for target, inside in zip(edit["targets"], written["targets"], strict=True):
                inside |= {key: target[key] for key in ("picture",) if key in target}
        return embedded

    def clipped(self, painting: Painting) -> Painting:
        """A painting without what was painted where images cannot change."""
        if not self.sampling.holes:
            return painting
        changeable = {
            target.key: self.sampling.changeable(target.described(self.sampling.size))
            for target in painting.targets
            if not target.lacks_hole
        }
        masks = {k: m.byte().numpy() for k, m in changeable.items() if m is not None}
        return painting.clipped(masks, self.sampling.size)

    def missing(self, painting: Painting) -> str:
        """What must be done before there is a rule, or "" where nothing is."""
        size = self.sampling.size
        lacks = missing(painting, size, holes=self.sampling.holes)
        if lacks:
            return lacks
        lacks = missing(self.clipped(painting), size)
        return f"{lacks}, inside of its hole" if lacks else ""

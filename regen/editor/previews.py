"""What a rule would do, before anything is learned; images are data URIs."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from regen.editor.as_edits import grouped
from regen.editor.encoding import map_uri, picture_uri
from regen.editor.painting import Json, Painting, Target
from regen.editor.tasks import Tasks

if TYPE_CHECKING:
    from regen.api import Caution


class Previews:
    """Previews of paintings.

    Args:
        tasks: What the paintings are for the generator.
    """

    def __init__(self, tasks: Tasks) -> None:
        self.tasks, self.bench = tasks, tasks.bench

    def warm(self) -> None:
        """Compute what every preview needs, so that the first is as quick as those after it."""
        self.bench.warm()

    def preview(self, painting: Painting) -> Json:
        """What the rule of a painting would do.

        Returns:
            What is ``missing``; for each of the ``targets`` the ``composite`` and what would be
            ``decoded``; the ``maps`` of where the rule will act on unseen samples; ``warnings``.

        Raises:
            RegenError: If the painting is not usable.
        """
        began = time.perf_counter()
        with _remarks() as remarks:
            missing = self.tasks.missing(painting)
            seen = None if missing else self._previewed(painting)
        if seen is None:
            return {"missing": missing, "targets": [], "maps": [], "warnings": []}
        seen["warnings"] = [*dict.fromkeys(remarks), *seen["warnings"]]
        return {**seen, "milliseconds": round(1000 * (time.perf_counter() - began))}

    def _previewed(self, painting: Painting) -> Json:
        task = self.tasks.task(painting)
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
            "warnings": [_warning(caution, painting) for caution in seen.cautions],
        }

    def _rows(self, painting: Painting) -> list[str]:
        """The target of each row of the rule; one with several holes has several rows."""
        groups = grouped(self.tasks.clipped(painting), self.tasks.sampling.size)
        targets = (target for group in groups.values() for target in group)
        return [target.key for target in targets for _ in _margins(target)]


def _warning(caution: Caution, painting: Painting) -> str:
    """A caution in the words of the page, which has no controls for some that it may name."""
    text = _named(caution.text, painting)
    if not caution.options:
        return text
    command = " ".join(["regen rewrite --edits FILE", *(f"{one} N" for one in caution.options)])
    return (
        f"{text}. The page has no control for {' and '.join(caution.options)}: export the edits "
        f"file of a draft, and run `{command} --preview`"
    )


def _named(text: str, painting: Painting) -> str:
    """A caution that calls exemplars as the page does, instead of by the files that keep them."""
    own = (target.exemplar.picture for target in painting.targets if target.exemplar)
    for picture in filter(None, (painting.picture, *own)):
        if not picture.source.startswith("data:"):
            text = text.replace(str(Path(picture.source).absolute()), picture.name)
            text = text.replace(picture.source, picture.name)
    return text


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

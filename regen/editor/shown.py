"""What is shown of a document: its state, and its images; only what has changed is computed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from regen.editor.asking import Asking
from regen.editor.channels import Channels
from regen.editor.document import Document, History
from regen.editor.export import commands
from regen.editor.painting import Json, Painting, Picture, Target
from regen.errors import RegenError

if TYPE_CHECKING:
    from regen.editor.engine import Engine

_MOST_IMAGES = 40  # of targets and exemplars, that are kept


def state_of(history: History) -> Json:
    """What a page draws of the document; images come in channels of their own."""
    document = history.document
    painting = document.painting.to_json()
    own = [target["exemplar"] for target in painting["targets"]]
    for holder in [painting, *(exemplar for exemplar in own if exemplar is not None)]:
        if holder["picture"] is not None:
            picture = dict(holder["picture"])
            picture["alpha"] = bool(picture["alpha"])
            picture["key"] = picture.pop("source")[-60:]
            holder["picture"] = picture
    rules = [
        {**{k: v for k, v in vars(rule).items() if k != "painting"}, "shown": rule.painting.key}
        for rule in document.rules
    ]
    return {
        "painting": painting,
        "rules": rules,
        "undo": history.at > 0,
        "redo": history.at + 1 < len(history.documents),
    }


class Shown:
    """The images of a document: of exemplar and targets, the preview, and with its rules.

    Args:
        asking: The way to the worker.
        channels: What pages see.
        engine: Computes the images.
        document: The one to begin with.
    """

    def __init__(
        self, asking: Asking, channels: Channels, engine: Engine, document: Document
    ) -> None:
        self.asking, self.channels, self.engine = asking, channels, engine
        self.document = document
        self._images: dict[str, Json] = {}  # of targets and exemplars, by what they show
        self._asked: dict[str, object] = {}  # what was last computed, by its job

    def refresh(self, document: Document, *, learning: bool) -> None:
        """Compute what a document shows; what is there already is not computed again.

        Args:
            document: The one that is shown from now on.
            learning: Whether a fit runs; it shows the unseen samples itself.
        """
        self.document = document
        self._show_pictures()
        if self._is_new("preview", document.painting):
            self._preview()
        self._after(learning)

    def know(self, picture: Picture, image: str) -> None:
        """Take an exemplar's image that is at hand; it is not read again."""
        self._images[picture.source] = {"image": image}

    def forget(self, *jobs: str) -> None:
        """Compute "preview", "after" or "targets" anew when they are next shown; all by default."""
        for job in jobs or tuple(self._asked):
            self._asked.pop(job, None)

    def _is_new(self, job: str, asked: object) -> bool:
        """Whether a job was last asked for something else."""
        if job in self._asked and self._asked[job] == asked:
            return False
        self._asked[job] = asked
        return True

    def _show_pictures(self) -> None:
        """Images of exemplars and targets, as pages need them to paint on."""
        engine, painting = self.engine, self.document.painting
        shown: dict[str, Json] = {}
        pictures = {"exemplar": painting.picture}
        for target in painting.targets:
            name = f"{dict(target.sample)} {target.hole}"
            compute = partial(engine.views.target, _unpainted(target))
            self._show_picture(shown, target.key, name, compute)
            if target.exemplar is not None:
                pictures[f"exemplar {target.key}"] = target.exemplar.picture
        for key, picture in pictures.items():
            if picture is not None:
                compute = partial(_image, engine, picture)
                self._show_picture(shown, key, picture.source, compute)
        self.channels.show("pictures", images=shown)

    def _show_picture(
        self, shown: dict[str, Json], key: str, name: str, compute: Callable[[], Json]
    ) -> None:
        if name in self._images:
            shown[key] = self._images[name]
        else:
            self.asking.quick(f"picture {name}", compute, partial(self._keep, name), rank=1)

    def _keep(self, name: str, images: Json) -> None:
        self._images[name] = images
        while len(self._images) > _MOST_IMAGES:
            del self._images[next(iter(self._images))]
        self._show_pictures()

    def _preview(self) -> None:
        painting = self.document.painting

        def show(seen: Json) -> None:
            self.channels.show("preview", painting=painting.key, **seen)

        self.asking.quick("preview", partial(_previewed, self.engine, painting), show, rank=2)

    def _after(self, learning: bool) -> None:
        """The unseen samples and the targets, with the rules that are on."""
        engine, document = self.engine, self.document
        applied, painting = document.applied, document.painting

        def show(seen: tuple[list[Json], list[str]]) -> None:
            samples, images = seen
            self.channels.show("unseen", samples=samples)
            self.channels.show("after", images=images, rules=len(applied), partial=False)

        targets = tuple(_unpainted(target) for target in painting.targets)
        if not learning and self._is_new("after", (targets, applied)):
            views = engine.views
            self.asking.quick(
                "after",
                lambda: (views.unseen(painting), views.after(painting, applied)),
                show,
                rank=3,
            )
        if self._is_new("targets", (targets, applied)):
            self.asking.quick(
                "targets",
                lambda: engine.views.targets_after(painting, applied),
                lambda images: self.channels.show("targets", images=images),
                rank=4,
            )
        self.channels.show("commands", text=commands(engine, document) if document.rules else "")


def _unpainted(target: Target) -> Target:
    """A target without what its image does not depend on."""
    return replace(target, strokes=(), exemplar=None)


def _image(engine: Engine, picture: Picture) -> Json:
    return {"image": engine.exemplars.shown(picture)}


def _previewed(engine: Engine, painting: Painting) -> Json:
    """A preview, or why there is none."""
    try:
        return engine.previews.preview(painting)
    except RegenError as error:
        return {"missing": str(error), "targets": [], "maps": [], "warnings": []}

"""A session without a server: jobs run at once, and a generator that is quick."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from regen.editor.as_edits import missing
from regen.editor.document import Document
from regen.editor.kept import Kept
from regen.editor.painting import Picture
from regen.editor.rules import LearnedRule
from regen.editor.session import Session

DAB = {"tool": "brush", "mode": "add", "points": [[9, 9]], "radius": 4}


class AtOnce:
    """A worker that runs jobs when it is told to, in the order in which they came."""

    def __init__(self) -> None:
        self.waiting: dict[str, Callable[[], None]] = {}
        self.closed = False
        self.failed: Callable[[BaseException], None] | None = None  # told what a job raised

    def quick(self, name: str, job: Callable[[], None], *, rank: int = 5) -> None:
        self.waiting.pop(name, None)
        self.waiting[name] = job

    def long(self, job: Callable[[], None]) -> None:
        self.waiting[f"long {len(self.waiting)}"] = job

    def breathe(self) -> None:
        """Nothing: a test decides what runs between two steps."""

    def run(self) -> None:
        """Run all that waits, and what comes of it."""
        while self.waiting:
            job = self.waiting.pop(next(iter(self.waiting)))
            try:
                job()
            except Exception as error:
                if self.failed is None:
                    raise
                self.failed(error)


class Pages:
    """A session and a page of it."""

    def __init__(self, session: Session, worker: AtOnce) -> None:
        self.session, self.worker = session, worker
        worker.failed = session.failed
        self.seen: list[dict[str, Any]] = []
        session.channels.join(lambda text: self.seen.append(json.loads(text)))

    def do(self, what: str, **message: Any) -> None:
        """Send a message of the page, and run what it starts."""
        self.session.handle({"do": what, **message})
        self.worker.run()

    def last(self, channel: str) -> dict[str, Any]:
        return next(message for message in reversed(self.seen) if message["channel"] == channel)

    @property
    def state(self) -> dict[str, Any]:
        return self.last("state")

    def target(self, index: int = 0) -> str:
        return self.state["painting"]["targets"][index]["key"]


class PretendEngine:
    """Answers at once, and counts what it was asked; it is each of its parts itself."""

    name, images = "portraits", None
    size = (32, 32)

    def __init__(self) -> None:
        self.sampling = self.exemplars = self.tasks = self.previews = self
        self.rules = self.views = self.suggestions = self
        self.asked: list[str] = []
        self.problem: Exception | None = None

    def described(self) -> dict[str, Any]:
        return {"name": "pretend", "height": 32, "width": 32, "regions": [], "family": "f"}

    def unseen(self, painting: Any) -> list[dict[str, str]]:
        return [{"label": f"seed {n}", "image": f"before {n}"} for n in range(8)]

    def grid(self, first: int, options: Any, show: Any, go_on: Any) -> None:
        if go_on():
            show([{"label": f"seed {first}", "image": "data:", "sample": {"seed": first}}])

    def warm(self) -> None:
        pass

    def label(self, sample: dict[str, Any]) -> str:
        return f"seed {sample['seed']}"

    def own_size(self, sample: dict[str, Any]) -> None:
        return None

    def target(self, target: Any) -> dict[str, str]:
        return {"image": f"image of {target.sample['seed']}"}

    def missing(self, painting: Any) -> str:
        return missing(painting, self.size)

    def shown(self, picture: Any) -> str:
        return f"image of {picture.name}"

    def preview(self, painting: Any) -> dict[str, Any]:
        self.asked.append("preview")
        if self.problem is not None:
            raise self.problem
        lacks = missing(painting, self.size)
        maps = [] if lacks else ["map"] * 8
        return {"missing": lacks, "targets": [], "maps": maps, "warnings": []}

    def after(self, painting: Any, applied: Any, partial: Any = None) -> list[str]:
        return [f"after {dict(applied)} {partial}"] * 8

    def targets_after(self, painting: Any, applied: Any) -> dict[str, str]:
        return {}


class PretendLearner(PretendEngine):
    """Learns in three steps, of which it shows two."""

    def __init__(self, between: Any = lambda step: None) -> None:
        super().__init__()
        self.between = between

    def bundled(self, name: str) -> tuple[Picture, str]:
        return Picture("skimage:chelsea", name, 30, 45), "the cat"

    def learn(self, painting: Any, kind: str, key: str, **calls: Any) -> LearnedRule:
        for step in range(3):
            calls["on_step"](step, 3, 1.0 - 0.1 * step)
            self.between(step)
            if calls["should_stop"]():
                return LearnedRule(key, step + 1, 1.0)
            if step < 2:
                calls["on_partial"](f"partial {step}")
        return LearnedRule(key, None, 2.0)


def opened(kept: Kept, engine: PretendEngine, document: Document | None = None) -> Pages:
    """A session whose generator is open."""
    worker = AtOnce()
    session = Session(kept, worker, "portraits", lambda: engine, lambda f: f(), document)
    pages = Pages(session, worker)
    worker.run()
    return pages


def ready_to_learn(kept: Kept, engine: PretendEngine) -> Pages:
    """A session with an exemplar and a target, both painted on."""
    pages = opened(kept, engine)
    pages.do("picture.bundled", name="cat")
    pages.do("target.add", sample={"seed": 3})
    for on in ("exemplar", pages.target()):
        pages.do("stroke", on=on, stroke=DAB)
    return pages

"""A document being edited: what pages see of it, and what is computed when.

Everything a page shows is a *channel*: a message that replaces the one before it. A page that
opens, or opens again, gets the last message of each, so every page sees the same session. All
methods run in one thread, that of the server; what the worker computes comes back by `post`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol

from regen.editor.commands import (
    CHANGES,
    LARGEST_SEED,
    merging,
    named_hole,
    new_key,
    with_hole,
    with_style,
)
from regen.editor.document import Document, History, Rule
from regen.editor.export import commands, export
from regen.editor.kept import Kept
from regen.editor.messages import (
    Message,
    MessageError,
    choice,
    integer,
    number,
    text,
)
from regen.editor.painting import Json, Painting, Picture
from regen.editor.sampling import GridOptions
from regen.editor.strokes import Stroke
from regen.errors import RegenError

Send = Callable[[str], None]
Post = Callable[[Callable[[], None]], None]

KINDS = ("draft", "full")


class Computing(Protocol):
    """What the session needs of a `Worker`."""

    def quick(self, name: str, job: Callable[[], None], *, rank: int = 5) -> None: ...
    def long(self, job: Callable[[], None]) -> None: ...
    def breathe(self) -> None: ...
    @property
    def closed(self) -> bool: ...


@dataclass
class Learning:
    """A fit that runs.

    Attributes:
        painting: What it learns.
        kind: "draft" or "full".
        stop: Whether somebody asked it to stop.
    """

    painting: Painting
    kind: str
    stop: bool = False


class Session:
    """One session, for any number of pages.

    Args:
        kept: Its folder.
        worker: Where everything slow is computed.
        generator: Name or path of the generator, as the edits files name it.
        open_engine: Opens the generator; called in the worker.
        post: Runs a function in the session's own thread.
        document: What to begin with.
        on_broken: Called with the error where the generator cannot be opened.
    """

    def __init__(
        self,
        kept: Kept,
        worker: Computing,
        generator: str,
        open_engine: Callable[[], Any],
        post: Post,
        document: Document | None = None,
        on_broken: Callable[[BaseException], None] = lambda error: None,
    ) -> None:
        self.kept, self.worker, self.generator, self.post = kept, worker, generator, post
        self.engine: Any = None
        self.learning: Learning | None = None
        self.history = History()
        self.history.push(document or Document(Painting(new_key())))
        self.first, self.options = 0, GridOptions()
        self._channels: dict[str, str] = {}
        self._pages: list[Send] = []
        self._offered: list[Json] = []  # samples of the grid
        self._images: dict[str, Json] = {}  # of targets and exemplars, by what they show
        self._asked: dict[str, object] = {}  # what was last computed, by its job
        self._show_state()
        self.worker.quick("open", lambda: self._open(open_engine, on_broken), rank=0)

    @property
    def document(self) -> Document:
        """What is shown."""
        return self.history.document

    def join(self, send: Send) -> None:
        """A page opens: it gets everything that there is to see."""
        self._pages.append(send)
        for message in self._channels.values():
            send(message)

    def leave(self, send: Send) -> None:
        """A page closes; nothing ends."""
        if send in self._pages:
            self._pages.remove(send)

    def failed(self, error: BaseException) -> None:
        """Say what went wrong in a computation; called in any thread."""
        self.post(lambda: self.say(error))

    def say(self, problem: object, *, good: bool = False) -> None:
        """One line to all pages, which is not kept."""
        line = str(problem) if good or isinstance(problem, RegenError) else _fault(problem)
        self._send_all(json.dumps({"channel": "said", "line": line, "good": good}))

    def _show(self, channel: str, **content: Any) -> None:
        message = json.dumps({"channel": channel, **content})
        if self._channels.get(channel) != message:
            self._channels[channel] = message
            self._send_all(message)

    def _send_all(self, message: str) -> None:
        for send in list(self._pages):
            send(message)

    def _open(
        self, open_engine: Callable[[], Any], on_broken: Callable[[BaseException], None]
    ) -> None:
        """In the worker: open the generator."""
        try:
            engine = open_engine()
        except BaseException as error:
            broken = error
            self.post(lambda: on_broken(broken))
            return
        described = engine.described()
        self.post(lambda: self._opened(engine, described))

    def _opened(self, engine: Any, described: Json) -> None:
        self.engine = engine
        self._show("generator", **described)
        self._show_grid()
        self.worker.quick("warm", engine.previews.warm, rank=10)
        self._refresh()

    def handle(self, message: Message) -> None:
        """Do what a page asks for.

        Raises:
            RegenError: If it makes no sense; nothing has changed then.
        """
        name = message["do"]
        if name in CHANGES:
            self._change(CHANGES[name](self.document, self._checked(message)), merging(message))
            return
        action = _ACTIONS.get(name)
        if action is None:
            raise MessageError("do", got=name[:40], expected="something the page can do")
        action(self, message)

    def _checked(self, message: Message) -> Message:
        """A sample is one of the generator's, and has the label that the generator gives it.

        A file is a sample only where the grid shows it: no page names files.
        """
        sample = message.get("sample")
        change = {"target.style": with_style, "target.hole": with_hole}.get(message["do"])
        if message["do"] != "target.add" and change is None:
            return message
        if change is not None:
            target = self.document.painting.target(message.get("target"))
            changed = change(target.sample, message)
            keep = message["do"] == "target.style"
            label = self._ready().sampling.label(changed)
            return {**message, "sample": changed, "label": label, "keep_hole": keep}
        if not _names_no_file(sample) and sample not in self._offered:
            raise MessageError("sample", got=str(sample)[:40], expected='{"seed": 3}')
        sampling = self._ready().sampling
        label, own_size = sampling.label(sample), sampling.own_size(sample)
        return {**message, "label": label, "own_size": own_size}

    def _ready(self) -> Any:
        if self.engine is None:
            raise MessageError("the generator is still being opened", remedy="wait a moment")
        return self.engine

    def _change(self, document: Document, merging: str = "") -> None:
        """Show a new document, keep it, and compute what it changes."""
        self.history.push(document, merging)
        self._changed()

    def _changed(self) -> None:
        self.kept.save(self.document, self.generator)
        self._show_state()
        self._refresh()

    def _undo(self, message: Message) -> None:
        if self.history.undo():
            self._changed()

    def _redo(self, message: Message) -> None:
        if self.history.redo():
            self._changed()

    def _show_state(self) -> None:
        """What the page draws of the document; images come in channels of their own."""
        document, history = self.document, self.history
        painting = document.painting.to_json()
        if painting["picture"] is not None:
            picture = dict(painting["picture"])
            picture["alpha"] = bool(picture["alpha"])
            picture["key"] = picture.pop("source")[-60:]
            painting["picture"] = picture
        rules = [
            {**{k: v for k, v in vars(rule).items() if k != "painting"}, "shown": rule.painting.key}
            for rule in document.rules
        ]
        learning = self.learning
        self._show(
            "state",
            painting=painting,
            rules=rules,
            undo=history.at > 0,
            redo=history.at + 1 < len(history.documents),
            learning=None if learning is None else {"kind": learning.kind, "stop": learning.stop},
        )

    def _refresh(self) -> None:
        """Compute what the document shows; what is there already is not computed again."""
        if self.engine is None:
            return
        self._show_pictures()
        if self._is_new("preview", self.document.painting):
            self._preview()
        self._after()

    def _is_new(self, job: str, asked: object) -> bool:
        """Whether a job was last asked for something else."""
        if job in self._asked and self._asked[job] == asked:
            return False
        self._asked[job] = asked
        return True

    def _show_pictures(self) -> None:
        """Images of the exemplar and the targets, as pages need them to paint on."""
        engine, painting = self.engine, self.document.painting
        shown: dict[str, Json] = {}
        for target in painting.targets:
            name = f"{dict(target.sample)} {target.hole}"
            compute = partial(engine.views.target, replace(target, strokes=()))
            self._show_picture(shown, target.key, name, compute)
        picture = painting.picture
        if picture is not None:
            compute = partial(_image, engine.exemplars.shown, picture)
            self._show_picture(shown, "exemplar", picture.source, compute)
        self._show("pictures", images=shown)

    def _show_picture(
        self, shown: dict[str, Json], key: str, name: str, compute: Callable[[], Json]
    ) -> None:
        if name in self._images:
            shown[key] = self._images[name]
        else:
            self._picture(name, compute)

    def _picture(self, name: str, compute: Callable[[], Json]) -> None:
        def job() -> None:
            images = compute()
            self.post(lambda: self._keep_picture(name, images))

        self.worker.quick(f"picture {name}", job, rank=1)

    def _keep_picture(self, name: str, images: Json) -> None:
        self._images[name] = images
        while len(self._images) > 40:
            del self._images[next(iter(self._images))]
        self._show_pictures()

    def _preview(self) -> None:
        engine, painting = self.engine, self.document.painting

        def job() -> None:
            try:
                seen = engine.previews.preview(painting)
            except RegenError as error:
                seen = {"missing": str(error), "targets": [], "maps": [], "warnings": []}
            self.post(lambda: self._show("preview", painting=painting.key, **seen))

        self.worker.quick("preview", job, rank=2)

    def _after(self) -> None:
        engine, document = self.engine, self.document
        applied, painting = document.applied, document.painting

        def job() -> None:
            views = engine.views
            samples, images = views.unseen(painting), views.after(painting, applied)
            self.post(lambda: self._show("unseen", samples=samples))
            self.post(lambda: self._show("after", images=images, rules=len(applied), partial=False))

        def job_for_targets() -> None:
            images = engine.views.targets_after(painting, applied)
            self.post(lambda: self._show("targets", images=images))

        targets = tuple(replace(target, strokes=()) for target in painting.targets)
        if self.learning is None and self._is_new("after", (targets, applied)):
            self.worker.quick("after", job, rank=3)
        if self._is_new("targets", (targets, applied)):
            self.worker.quick("targets", job_for_targets, rank=4)
        self._show("commands", text=commands(engine, document) if document.rules else "")

    def _samples(self, message: Message) -> None:
        self.first = integer(message, "first", 0, LARGEST_SEED - 1000)
        psi, engine = number(message, "truncation", 0, 2), self._ready()
        hole = named_hole(text(message, "hole")) if message.get("hole") else None
        options = GridOptions(psi, hole)
        if options.request():
            engine.sampling.label({"seed": self.first, **options.request()})
        self.options = options
        self._show_grid()

    def _show_grid(self) -> None:
        engine, first, options = self.engine, self.first, self.options

        def show(cells: list[Json]) -> None:
            self.post(lambda: self._show_cells(first, options, cells))

        def wanted() -> bool:
            self.worker.breathe()
            return (first, options) == (self.first, self.options)

        self.worker.quick("grid", lambda: engine.views.grid(first, options, show, wanted), rank=9)

    def _show_cells(self, first: int, options: GridOptions, cells: list[Json]) -> None:
        if (first, options) == (self.first, self.options):
            self._offered = [cell["sample"] for cell in cells]
            hole = "" if options.hole is None else options.hole["portraits"]
            self._show("grid", first=first, truncation=options.truncation, hole=hole, cells=cells)

    def _use_bundled(self, message: Message) -> None:
        engine, name = self._ready(), text(message, "name")
        self._take(lambda: engine.exemplars.bundled(name))

    def bring(self, data: bytes, name: str, done: Callable[[RegenError | None], None]) -> None:
        """Take an image that a person brought as the exemplar.

        Args:
            data: The file's bytes.
            name: To display.
            done: Called with what was wrong, or None.

        Raises:
            MessageError: If the generator is not open yet.
        """
        engine = self._ready()
        self._take(lambda: engine.exemplars.brought(data, name), done)

    def _take(
        self,
        read: Callable[[], tuple[Picture, str]],
        done: Callable[[RegenError | None], None] | None = None,
    ) -> None:
        def job() -> None:
            try:
                picture, image = read()
            except RegenError as error:
                problem = error
                self.post(lambda: done(problem) if done is not None else self.say(problem))
                return
            except BaseException as error:  # whoever waits is told, and the terminal all of it
                fault = RegenError(_fault(error))
                self.post(lambda: done(fault) if done is not None else None)
                raise
            self.post(lambda: self._taken(picture, image))
            if done is not None:
                self.post(lambda: done(None))

        self.worker.quick(f"exemplar {new_key()}", job, rank=1)

    def _taken(self, picture: Picture, image: str) -> None:
        self._images[picture.source] = {"image": image}
        painting = self.document.painting
        strokes: tuple[Stroke, ...] = ()
        if picture.alpha:  # whoever cut the pattern out has said where it is
            strokes = (Stroke("mask", mask=picture.alpha),)
        painting = replace(painting, picture=picture, strokes=strokes)
        self._change(replace(self.document, painting=painting))

    def _learn(self, message: Message) -> None:
        kind, engine = choice(message, "kind", KINDS), self._ready()
        if self.learning is not None:
            raise MessageError("a rule is being learned already", remedy="stop it first")
        painting = self.document.painting
        missing = engine.tasks.missing(painting)
        if missing:
            raise MessageError(missing)
        self.learning = Learning(painting, kind)
        self._show("learning", step=0, steps=0, losses=[])
        self._show_state()
        learning = self.learning
        self.worker.long(lambda: self._fit(learning))

    def _fit(self, learning: Learning) -> None:
        """In the worker: learn, and show the unseen samples every few steps."""
        engine, key = self.engine, new_key()
        losses: list[tuple[int, float]] = []

        def on_step(step: int, steps: int, loss: float) -> None:
            losses.append((step, loss))
            done = list(losses)
            self.post(lambda: self._show("learning", step=step, steps=steps, losses=done))

        def on_partial(rewrite: Any) -> None:
            others = tuple(
                (rule.key, rule.strength)
                for rule in self.document.rules
                if rule.on and rule.painting.key != learning.painting.key
            )
            images = engine.views.after(self.document.painting, others, rewrite)
            self.post(lambda: self._show_partial(learning, images, len(others) + 1))

        def should_stop() -> bool:
            self.worker.breathe()
            return learning.stop or self.worker.closed

        try:
            learned = engine.rules.learn(
                learning.painting,
                learning.kind,
                key,
                on_step=on_step,
                on_partial=on_partial,
                should_stop=should_stop,
            )
        except BaseException as error:
            problem = error
            self.post(lambda: self._not_learned(problem))
            if not isinstance(error, RegenError):
                raise  # to the terminal, which says so on the page too
            return
        self.post(lambda: self._learned(learning, learned))

    def _show_partial(self, learning: Learning, images: list[str], rules: int) -> None:
        if self.learning is learning:
            self._show("after", images=images, rules=rules, partial=True)

    def _not_learned(self, error: BaseException) -> None:
        self.learning = None
        self._asked.clear()
        if isinstance(error, RegenError):
            self.say(error)
        self._show_state()
        self._refresh()

    def _learned(self, learning: Learning, learned: Any) -> None:
        self.learning = None
        self._asked.pop("after", None)  # what is shown was seen while it was learned
        count = 1 + len(self.document.rules)
        rule = Rule(
            learned.key,
            f"Rule {count}",
            learning.painting,
            kind=learning.kind,
            stopped_after=learned.stopped_after,
        )
        self._change(self.document.learned(rule))
        stopped = f" after {learned.stopped_after} steps" if learned.stopped_after else ""
        self.say(f"Learned{stopped} in {learned.seconds:.0f} s", good=True)

    def _stop(self, message: Message) -> None:
        if self.learning is not None:
            self.learning.stop = True
            self._show_state()

    def _suggest(self, message: Message) -> None:
        engine, painting = self._ready(), self.document.painting
        target = painting.target(message.get("target"))
        height, width = engine.sampling.size
        x, y = number(message, "x", 0, width), number(message, "y", 0, height)
        name = text(message, "name") if "name" in message else ""

        def job() -> None:
            found = engine.suggestions.suggest(target, x, y, name)
            self.post(lambda: self._suggested(target.key, found))

        self.worker.quick(f"suggest {target.key}", job, rank=1)

    def _suggested(self, target: str, found: list[Json]) -> None:
        message = {"channel": "suggested", "target": target, "found": found}
        self._send_all(json.dumps(message))

    def _carry(self, message: Message) -> None:
        engine, painting = self._ready(), self.document.painting
        target = painting.target(message.get("target"))

        def job() -> None:
            found = engine.suggestions.carried(painting, target)
            self.post(lambda: self._carried(painting, found))

        self.worker.quick("carry", job, rank=1)

    def _carried(self, painting: Painting, masks: Mapping[str, str]) -> None:
        if painting is not self.document.painting:
            return  # somebody painted in the meantime
        for key, mask in masks.items():
            painting = painting.with_strokes(key, (Stroke("mask", mask=mask),))
        self._change(replace(self.document, painting=painting))

    def _export(self, message: Message) -> None:
        engine, what = self._ready(), text(message, "what")
        document = self.document

        def job() -> None:
            made = export(engine, document, what)
            self.post(lambda: self._exported(what, made))

        def failing() -> None:
            try:
                job()
            except BaseException as error:
                problem = error
                self.post(lambda: self._exported(what, None, problem))
                if not isinstance(error, RegenError):
                    raise

        self._show("export", what=what, file=None, working=True, problem="")
        self.worker.long(failing)

    def _exported(self, what: str, made: Any, problem: BaseException | None = None) -> None:
        line = ""
        if problem is not None:
            line = str(problem) if isinstance(problem, RegenError) else _fault(problem)
        file = None if made is None else {"name": made.name, "bytes": made.stat().st_size}
        self._show("export", what=what, file=file, working=False, problem=line)


def _names_no_file(sample: object) -> bool:
    """Whether a sample is a seed, with at most a truncation, a named hole and a random style."""
    known: dict[str, set[str]] = {
        "seed": set(),
        "truncation": set(),
        "hole": {"portraits", "grow"},
        "style": {"seed"},
    }
    return isinstance(sample, dict) and all(
        name in known and set(value if isinstance(value, dict) else ()) <= known[name]
        for name, value in sample.items()
    )


def _image(show: Callable[[Picture], str], picture: Picture) -> Json:
    return {"image": show(picture)}


def _fault(problem: object) -> str:
    """A fault of regen's own, in one line; the whole of it goes to the terminal."""
    kind = type(problem).__name__ if isinstance(problem, BaseException) else ""
    line = f"{problem}".strip().splitlines()
    return f"Something went wrong in regen: {kind} {line[0] if line else ''}".strip()[:300]


_ACTIONS: dict[str, Callable[[Session, Message], None]] = {
    "undo": Session._undo,
    "redo": Session._redo,
    "samples": Session._samples,
    "picture.bundled": Session._use_bundled,
    "learn": Session._learn,
    "stop": Session._stop,
    "suggest": Session._suggest,
    "carry": Session._carry,
    "export": Session._export,
}

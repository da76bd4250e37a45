"""A session: a document being edited by any number of pages.

What a page asks for changes the document, or is fetched by the worker; see the parts of a session.
All methods run in one thread, that of the server.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from regen.editor.asking import Asking, Computing, Post
from regen.editor.channels import Channels, line_of
from regen.editor.choosing import Grid
from regen.editor.commands import CHANGES, merging, new_key, with_masks, with_picture
from regen.editor.document import Document, History, Rule
from regen.editor.errands import carry, make_file, suggest
from regen.editor.kept import Kept
from regen.editor.learning import KINDS, Learner
from regen.editor.messages import Message, MessageError, choice, text
from regen.editor.painting import Painting, Picture
from regen.editor.shown import Shown, state_of
from regen.errors import RegenError

if TYPE_CHECKING:
    from regen.editor.engine import Engine


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

    Attributes:
        channels: What pages see.
        asking: The way to the worker.
        history: The document, and what it was.
        grid: Samples to choose from.
        learner: Learns rules.
        engine, shown: What computes, and the document's images; None until the generator is open.
    """

    def __init__(
        self,
        kept: Kept,
        worker: Computing,
        generator: str,
        open_engine: Callable[[], Engine],
        post: Post,
        document: Document | None = None,
        on_broken: Callable[[BaseException], None] = lambda error: None,
    ) -> None:
        self.kept, self.generator = kept, generator
        self.channels, self.asking = Channels(), Asking(worker, post)
        self.history = History()
        self.history.push(document or Document(Painting(new_key())))
        self.grid = Grid(self.asking, self.channels)
        self.learner = Learner(
            self.asking, self.channels, lambda: self.document, self._learned, self._not_learned
        )
        self.engine: Engine | None = None
        self.shown: Shown | None = None
        self._show_state()
        self._open(open_engine, on_broken)

    @property
    def document(self) -> Document:
        """What is shown."""
        return self.history.document

    def failed(self, error: BaseException) -> None:
        """Say what went wrong in a computation; called in any thread."""
        self.asking.post(lambda: self.channels.say(error))

    def _open(
        self, open_engine: Callable[[], Engine], on_broken: Callable[[BaseException], None]
    ) -> None:
        """Open the generator, before all else that is computed."""

        def job() -> None:
            try:
                engine = open_engine()
            except BaseException as error:
                broken = error
                self.asking.post(lambda: on_broken(broken))
                return
            described = engine.described()
            self.asking.post(lambda: self._opened(engine, described))

        self.asking.worker.quick("open", job, rank=0)

    def _opened(self, engine: Engine, described: Mapping[str, object]) -> None:
        self.engine = engine
        self.shown = Shown(self.asking, self.channels, engine, self.document)
        self.channels.show("generator", **described)
        self.grid.begin(self.document.painting)
        self.grid.show(engine)
        self.asking.worker.quick("warm", engine.previews.warm, rank=10)
        self._refresh()

    def _ready(self) -> Engine:
        if self.engine is None:
            raise MessageError("the generator is still being opened", remedy="wait a moment")
        return self.engine

    def handle(self, message: Message) -> None:
        """Do what a page asks for.

        Raises:
            RegenError: If it makes no sense; nothing has changed then.
        """
        name = message["do"]
        if name in CHANGES:
            self.grid.complete(message, self.document.painting, self._ready, self._change_by)
        elif name in _ACTIONS:
            _ACTIONS[name](self, message)
        else:
            raise MessageError("do", got=name[:40], expected="something the page can do")

    def bring(self, data: bytes, name: str, done: Callable[[RegenError | None], None]) -> None:
        """Take an image that a person brought as the exemplar.

        Args:
            data: The file's bytes.
            name: To display.
            done: Called with what was wrong, or None.

        Raises:
            MessageError: If the generator is not open yet.
        """
        exemplars = self._ready().exemplars

        def failed(error: BaseException) -> None:
            done(error if isinstance(error, RegenError) else RegenError(line_of(error)))

        self._take(lambda: exemplars.brought(data, name), lambda: done(None), failed)

    def _change_by(self, message: Message) -> None:
        """Do what a checked message says. Raises RegenError if it makes no sense now."""
        self._change(CHANGES[message["do"]](self.document, message), merging(message))

    def _change(self, document: Document, merging: str = "") -> None:
        """Show a new document, keep it, and compute what it changes."""
        self.history.push(document, merging)
        self._changed()

    def _changed(self) -> None:
        self.kept.save(self.document, self.generator)
        self._show_state()
        self._refresh()

    def _show_state(self) -> None:
        learning = self.learner.to_json()
        self.channels.show("state", **state_of(self.history), learning=learning)

    def _refresh(self) -> None:
        if self.shown is not None:
            self.shown.refresh(self.document, learning=self.learner.running is not None)

    def _undo(self, message: Message) -> None:
        if self.history.undo():
            self._changed()

    def _redo(self, message: Message) -> None:
        if self.history.redo():
            self._changed()

    def _use_bundled(self, message: Message) -> None:
        exemplars, name = self._ready().exemplars, text(message, "name")
        self._take(lambda: exemplars.bundled(name), lambda: None, self._refused)

    def _take(
        self,
        read: Callable[[], tuple[Picture, str]],
        done: Callable[[], None],
        failed: Callable[[BaseException], None],
    ) -> None:
        """Use what is read, a picture and its image, as the exemplar."""

        def then(found: tuple[Picture, str]) -> None:
            assert self.shown is not None
            picture, image = found
            try:
                self.shown.know(picture, image)
                self._change(with_picture(self.document, picture))
            finally:
                done()

        self.asking.quick(f"exemplar {new_key()}", read, then, failed, rank=1)

    def _refused(self, error: BaseException) -> None:
        """Say why; a fault of regen's own is said by whoever hears of it from the worker."""
        if isinstance(error, RegenError):
            self.channels.say(error)

    def _learn(self, message: Message) -> None:
        kind = choice(message, "kind", KINDS)
        self.learner.begin(self._ready(), kind)
        self._show_state()

    def _stop(self, message: Message) -> None:
        self.learner.stop()
        self._show_state()

    def _learned(self, rule: Rule, seconds: float) -> None:
        assert self.shown is not None
        self.shown.forget("after")  # what is shown was seen while it was learned
        self._change(self.document.learned(rule))
        stopped = f" after {rule.stopped_after} steps" if rule.stopped_after else ""
        self.channels.say(f"Learned{stopped} in {seconds:.0f} s", good=True)

    def _not_learned(self, error: BaseException) -> None:
        assert self.shown is not None
        self.shown.forget()
        self._refused(error)
        self._show_state()
        self._refresh()

    def _suggest(self, message: Message) -> None:
        engine, painting = self._ready(), self.document.painting
        suggest(self.asking, self.channels, engine, painting, message)

    def _carry(self, message: Message) -> None:
        painting = self.document.painting

        def then(masks: Mapping[str, str]) -> None:
            if painting is self.document.painting:  # nobody painted in the meantime
                self._change(with_masks(self.document, masks))

        carry(self.asking, self._ready(), painting, message, then)

    def _export(self, message: Message) -> None:
        make_file(self.asking, self.channels, self._ready(), self.document, message)


_ACTIONS: dict[str, Callable[[Session, Message], None]] = {
    "undo": Session._undo,
    "redo": Session._redo,
    "samples": lambda session, message: session.grid.turn(message, session._ready),
    "picture.bundled": Session._use_bundled,
    "learn": Session._learn,
    "stop": Session._stop,
    "suggest": Session._suggest,
    "carry": Session._carry,
    "export": Session._export,
}

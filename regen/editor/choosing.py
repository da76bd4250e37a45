"""Choosing samples: the grid that offers them, and which of them a page may name.

A file is a sample only where the grid shows it: no page names files. To name a sample nothing is
computed or read; what is read of an image of one's own is read in the worker.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from regen.editor.asking import Asking
from regen.editor.channels import Channels
from regen.editor.commands import LARGEST_SEED, named_hole, new_key, with_hole, with_style
from regen.editor.messages import Message, MessageError, integer, number, text
from regen.editor.painting import Json, Painting
from regen.editor.sampling import GridOptions
from regen.errors import RegenError

if TYPE_CHECKING:
    from regen.editor.engine import Engine

_CHANGES = {"target.style": with_style, "target.hole": with_hole}


class Grid:
    """The samples that a page offers.

    Args:
        asking: The way to the worker.
        channels: What pages see.

    Attributes:
        first: Number of the first sample.
        options: What they have in common.
        offered: What describes each of those that are shown.
    """

    def __init__(self, asking: Asking, channels: Channels) -> None:
        self.asking, self.channels = asking, channels
        self.first, self.options = 0, GridOptions()
        self.offered: list[Json] = []

    def begin(self, painting: Painting) -> None:
        """Offer samples that are truncated as those of a painting are, so that they are found."""
        for target in painting.targets[:1]:
            self.options = GridOptions(target.sample.get("truncation", 1.0))

    def turn(self, message: Message, ready: Callable[[], Engine]) -> None:
        """Show other samples, as a message of the page asks for them.

        Args:
            message: Says which.
            ready: Gives the engine, or raises an error as long as there is none.

        Raises:
            RegenError: If the generator has no such samples; nothing has changed then.
        """
        first = integer(message, "first", 0, LARGEST_SEED - 1000)
        psi, engine = number(message, "truncation", 0, 2), ready()
        hole = named_hole(text(message, "hole")) if message.get("hole") else None
        options = GridOptions(psi, hole)
        if options.request():
            engine.sampling.label({"seed": first, **options.request()})
        self.first, self.options = first, options
        self.show(engine)

    def show(self, engine: Engine) -> None:
        """Generate the samples, and show them as they come until others are asked for."""
        asked = self.first, self.options

        def show(cells: list[Json]) -> None:
            self.asking.post(lambda: self._show_cells(asked, cells))

        def wanted() -> bool:
            self.asking.worker.breathe()
            return asked == (self.first, self.options)

        worker = self.asking.worker
        worker.quick("grid", lambda: engine.views.grid(*asked, show, wanted), rank=9)

    def _show_cells(self, asked: tuple[int, GridOptions], cells: list[Json]) -> None:
        if asked != (self.first, self.options):
            return
        self.offered = [cell["sample"] for cell in cells]
        first, options = asked
        hole = "" if options.hole is None else options.hole["portraits"]
        psi = options.truncation
        self.channels.show("grid", first=first, truncation=psi, hole=hole, cells=cells)

    def complete(
        self,
        message: Message,
        painting: Painting,
        ready: Callable[[], Engine],
        then: Callable[[Message], None],
    ) -> None:
        """Check the sample that a message names, and add what the document needs to know of it.

        Args:
            message: Any that changes the document; others than those that name a sample are as
                they should be.
            painting: That is shown.
            ready: Gives the engine, or raises an error as long as there is none.
            then: Called with the message; for an image of one's own once its size is read.

        Raises:
            RegenError: If the page may not name the sample, or the generator has none like it.
        """
        checked = self._checked(message, painting, ready)
        if message["do"] != "target.add" or "picture" not in checked["sample"]:
            then(checked)
            return

        def add(own_size: tuple[int, int] | None) -> None:
            try:
                then({**checked, "own_size": own_size})
            except RegenError as error:  # it was added twice, for instance
                self.channels.say(error)

        compute = partial(ready().sampling.own_size, checked["sample"])
        self.asking.quick(f"size {new_key()}", compute, add, rank=1)

    def _checked(
        self, message: Message, painting: Painting, ready: Callable[[], Engine]
    ) -> Message:
        """A message with its sample checked, and with its label."""
        if message["do"] in _CHANGES:
            target = painting.target(message.get("target"))
            changed = _CHANGES[message["do"]](target.sample, message)
            keep = message["do"] == "target.style"
            label = ready().sampling.label(changed)
            return {**message, "sample": changed, "label": label, "keep_hole": keep}
        if message["do"] != "target.add":
            return message
        sample: Any = message.get("sample")
        if not _names_no_file(sample) and sample not in self.offered:
            raise MessageError("sample", got=str(sample)[:40], expected='{"seed": 3}')
        return {**message, "label": ready().sampling.label(sample), "own_size": None}


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

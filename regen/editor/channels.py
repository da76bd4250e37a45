"""What pages see: channels, each of which is its last message.

Everything a page shows is a *channel*: a message that replaces the one before it. A page that
opens, or opens again, gets the last message of each, so every page sees the same session.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from regen.errors import RegenError

Send = Callable[[str], None]


class Channels:
    """The channels of a session, and the pages that are open."""

    def __init__(self) -> None:
        self._last: dict[str, str] = {}
        self._pages: list[Send] = []

    def join(self, send: Send) -> None:
        """A page opens: it gets everything that there is to see."""
        self._pages.append(send)
        for message in self._last.values():
            send(message)

    def leave(self, send: Send) -> None:
        """A page closes; nothing ends."""
        if send in self._pages:
            self._pages.remove(send)

    def show(self, channel: str, **content: Any) -> None:
        """Replace a channel's message; the same message is not sent again."""
        message = json.dumps({"channel": channel, **content})
        if self._last.get(channel) != message:
            self._last[channel] = message
            self._send_all(message)

    def tell(self, channel: str, **content: Any) -> None:
        """Send a message to the pages that are open now; it is not kept."""
        self._send_all(json.dumps({"channel": channel, **content}))

    def say(self, problem: object, *, good: bool = False) -> None:
        """One line to all pages, which is not kept."""
        self.tell("said", line=str(problem) if good else line_of(problem), good=good)

    def _send_all(self, message: str) -> None:
        for send in list(self._pages):
            send(message)


def line_of(problem: object) -> str:
    """What is said of an error: its message, or one line of a fault of regen's own.

    The whole of a fault goes to the terminal.
    """
    if isinstance(problem, RegenError):
        return str(problem)
    kind = type(problem).__name__ if isinstance(problem, BaseException) else ""
    line = f"{problem}".strip().splitlines()
    return f"Something went wrong in regen: {kind} {line[0] if line else ''}".strip()[:300]

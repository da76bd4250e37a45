"""Somebody who works at `regen edit`, always in the same way, whatever becomes of the editor.

Gestures are made one after the other, each until the session shows it. What was shown is noted in
a file, so that whoever comes after the editor was killed sees whether the session has lost it: a
gesture that was shown is there again, and the rest is done as if nothing had happened.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import time
import traceback
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

State = dict[str, Any]

NOTES = "noted"  # beside out: a letter for each gesture that was shown
_PATIENCE_SECONDS = 120.0
_EYE = {"tool": "ellipse", "mode": "add", "ellipse": [12, 12, 6, 5]}
_BRUSH = {"tool": "brush", "mode": "add", "points": [[9, 9], [18, 12]], "radius": 3}


@dataclass(frozen=True)
class Gesture:
    """Something that a person does.

    Attributes:
        shown: Whether the session shows it.
        message: What the page sends for it, given the state.
    """

    shown: Callable[[State], bool]
    message: Callable[[State], State]


def _targets(state: State) -> list[State]:
    targets: list[State] = state["painting"]["targets"]
    return targets


def _rule(state: State) -> State:
    """The first rule; none while one is learned."""
    return {} if state["learning"] or not state["rules"] else state["rules"][0]


GESTURES = (
    Gesture(
        lambda s: s["painting"]["picture"]["name"] == "mine.png",
        lambda s: {"upload": "images/1.png"},
    ),
    Gesture(
        lambda s: len(s["painting"]["strokes"]) == 1,
        lambda s: {"do": "stroke", "on": "exemplar", "stroke": _EYE},
    ),
    Gesture(
        lambda s: len(_targets(s)) == 2,
        lambda s: {"do": "target.add", "sample": {"seed": 5}},
    ),
    Gesture(
        lambda s: len(_targets(s)[1]["strokes"]) == 1,
        lambda s: {"do": "stroke", "on": _targets(s)[1]["key"], "stroke": _BRUSH},
    ),
    Gesture(
        lambda s: s["painting"]["options"].get("feather") == 2,
        lambda s: {"do": "option", "name": "feather", "value": 2},
    ),
    Gesture(lambda s: bool(_rule(s)), lambda s: {"do": "learn", "kind": "draft"}),
    Gesture(
        lambda s: _rule(s).get("strength") == 0.5,
        lambda s: {"do": "rule.strength", "rule": _rule(s)["key"], "value": 0.5},
    ),
    Gesture(
        lambda s: _rule(s).get("name") == "Mine",
        lambda s: {"do": "rule.name", "rule": _rule(s)["key"], "name": "Mine"},
    ),
)


def work_at_the_editor(world: Path, log: Path, editor: int) -> None:
    """Make all gestures, and end the editor as Ctrl-C does; abort it if something is wrong.

    Args:
        world: Folder of the images and of the notes.
        log: Where the editor writes its address.
        editor: Its process.
    """
    try:
        work(world, _address(log))
    except BaseException:
        with log.open("a") as file:
            file.write(traceback.format_exc())
        os.kill(editor, signal.SIGABRT)
    else:
        os.kill(editor, signal.SIGINT)


def _address(log: Path) -> str:
    """The address that the editor prints, in a log that was empty before it started."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        found = re.search(r"^Editor: http://(\S+)/\n", log.read_text(), re.MULTILINE)
        if found:
            return found[1]
        time.sleep(0.005)
    raise TimeoutError("the editor prints no address")


def work(world: Path, address: str) -> None:
    """Make all gestures at the editor of an address, which has no scheme."""
    from websockets.sync.client import connect

    origin = f"http://{address.split('/')[0]}"
    options: dict[str, Any] = {"origin": origin, "max_size": None, "proxy": None}
    with connect(f"ws://{address}/socket", **options) as socket:
        page = Page(world, address, socket)
        state = page.wait("state", lambda message: True)
        notes = world / NOTES
        noted = len(notes.read_text()) if notes.exists() else 0
        for number, gesture in enumerate(GESTURES[:noted]):
            assert gesture.shown(state), f"gesture {number} was shown, and is lost: {state}"
        page.wait("generator", lambda message: True)
        for gesture in GESTURES:
            if not gesture.shown(page.last["state"]):
                page.ask(gesture.message(page.last["state"]))
                page.wait("state", gesture.shown)
            noted = max(noted, GESTURES.index(gesture) + 1)
            notes.write_text("." * noted)
        page.ask({"do": "export", "what": f"rewrite {_rule(page.last['state'])['key']}"})
        page.wait("export", lambda message: message["file"] is not None)


class Page:
    """A page of the editor without anything to see.

    Args:
        world: Folder of the images that it brings.
        address: Of the editor, without a scheme.
        socket: Open.

    Attributes:
        last: The last message of each channel.
    """

    def __init__(self, world: Path, address: str, socket: Any) -> None:
        self.world, self.socket = world, socket
        self.authority, self.token = address.split("/")
        self.last: dict[str, State] = {}

    def ask(self, message: State) -> None:
        """Send a message, or an image."""
        if "upload" not in message:
            self.socket.send(json.dumps(message))
            return
        headers = {"X-Name": "mine.png", "Origin": f"http://{self.authority}"}
        with closing(http.client.HTTPConnection(self.authority)) as line:
            data = (self.world / message["upload"]).read_bytes()
            line.request("POST", f"/{self.token}/picture", data, headers)
            answer = line.getresponse()
            assert answer.status == 200, answer.read()

    def wait(self, channel: str, wanted: Callable[[State], bool]) -> State:
        """Read messages until a channel shows what is wanted."""
        if channel in self.last and wanted(self.last[channel]):
            return self.last[channel]
        while True:
            message: State = json.loads(self.socket.recv(timeout=_PATIENCE_SECONDS))
            assert message["channel"] != "said" or message["good"], message
            self.last[message["channel"]] = message
            if message["channel"] == channel and wanted(message):
                return message

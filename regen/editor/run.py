"""`regen edit`: open the page, serve it, and end when the command is ended."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import sys
import traceback
import webbrowser
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from regen.editor.document import Document
from regen.editor.hosts import LOOPBACK, from_elsewhere, is_any, written
from regen.editor.kept import Kept
from regen.editor.opening import document_from, pictures_of
from regen.editor.security import LARGEST_MESSAGE, Guard, new_token
from regen.editor.session import Session
from regen.editor.worker import Worker
from regen.errors import RegenError
from regen.runs.folder import run_folder

if TYPE_CHECKING:
    from regen.api import Generator
    from regen.editor.engine import Engine


@dataclass
class Opened:
    """What the command named.

    Attributes:
        name: Name or path of the generator.
        kept: The session's folder.
        images: Folder that the generator takes its samples from, if it needs images.
        device: Where to compute; "auto" is a GPU where torch finds one.
        before_torch: Called before anything imports torch.
    """

    name: str
    kept: Kept
    images: Path | None
    device: str
    before_torch: Callable[[], None]

    @cached_property
    def generator(self) -> Generator:
        """The generator, opened once: in the worker, unless an edits file is read before."""
        from regen import api

        return api.open_generator(self.name, device=_device(self.device))

    def document(self, edits: Path | None) -> Document | None:
        """What to begin with, an edits file or what is kept, and the folder of images it has."""
        document = self.kept.load(self.name)
        if edits is not None:
            self.before_torch()
            document = document_from(
                edits, self.name, document, lambda: self.generator, self.images
            )
        if document is not None:
            self.images = self.images or pictures_of(document)
        return document

    def engine(self) -> Engine:
        """What computes; called in the worker, after the page is served."""
        self.before_torch()
        from regen.editor.engine import Engine

        return Engine(self.generator, self.kept, self.images)


def _device(name: str) -> str:
    import torch

    if name != "auto":
        return name
    return "cuda" if torch.cuda.is_available() else "cpu"


def edit(
    generator: str,
    folder: Path,
    *,
    edits: Path | None = None,
    images: Path | None = None,
    device: str = "auto",
    host: str = "127.0.0.1",
    port: int = 0,
    browser: bool = True,
    say: Callable[[str], None] = print,
    before_torch: Callable[[], None] = lambda: None,
) -> None:
    """Serve the editor until the program is interrupted.

    Args:
        generator: Name or path.
        folder: The session's; what was there is found again.
        edits: An edits file to begin with, in place of what the folder holds.
        images: Folder that the generator takes its samples from, if it needs images; by default
            that of the edits file, now or when the session began.
        device: Where to compute; "auto" is a GPU where torch finds one.
        host: Address to listen on. Any but a loopback address lets other machines ask: by this
            one, or with 0.0.0.0 or :: by any address of numbers that reaches this machine.
        port: To listen on; 0 takes one that is free.
        browser: Whether to open the page.
        say: Prints a line.
        before_torch: Called before anything imports torch, in the thread that does: once the page
            is served, unless an edits file is read before. It may import torch in its own way.

    Raises:
        RegenError: If the generator or the edits cannot be opened, the port is taken, or what the
            editor needs is not installed.
        KeyboardInterrupt: When it is interrupted, saying what was kept.
    """
    _check_installed()
    with run_folder(folder), _listening(host, port) as listener:
        kept = Kept(folder)
        kept.clear_unfinished()
        opened = Opened(generator, kept, images, device, before_torch)
        document = opened.document(edits)
        bound, chosen = listener.getsockname()[:2]
        token = new_token()
        guard = Guard(token, {*LOOPBACK, host, bound}, chosen, any_number=is_any(bound))
        addresses = [f"http://{shown}:{chosen}/{token}/" for shown in _shown(listener)]
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(_serve(listener, guard, opened, document, addresses, browser, say))
    raise KeyboardInterrupt(f"the session is in {folder}; the same command goes on with it")


def _shown(listener: socket.socket) -> list[str]:
    """The host for this machine, and where it listens everywhere, that for others."""
    bound = listener.getsockname()[0]
    if not is_any(bound):
        return [written(bound)]
    here = "127.0.0.1" if listener.family == socket.AF_INET else "[::1]"
    elsewhere = from_elsewhere(listener.family)
    return [here] if elsewhere is None else [here, elsewhere]


def _check_installed() -> None:
    from importlib.util import find_spec

    missing = [name for name in ("starlette", "uvicorn", "websockets") if find_spec(name) is None]
    if missing:
        *most, last = missing
        names = f"{', '.join(most)} and {last}" if most else last
        remedy = f"run `pip install {' '.join(missing)}`"
        raise RegenError(f"the editor needs {names}", remedy=remedy)


@contextlib.contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    if not host.isprintable() or not host.strip("[] "):
        raise RegenError("--host", got=repr(host), expected="an address of this machine")
    kind = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(kind, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host.strip("[]"), port))
        listener.listen(128)  # from here on nobody who has the address is turned away
    except (OSError, UnicodeError) as error:
        listener.close()
        reason = getattr(error, "strerror", None) or "not an address"
        taken = getattr(error, "errno", None) in (errno.EADDRINUSE, errno.EACCES)
        remedy = f"choose another {'--port' if taken else '--host'}, or leave it out"
        raise RegenError(f"cannot listen on {host[:80]}:{port}: {reason}", remedy=remedy) from error
    try:
        yield listener
    finally:
        listener.close()


async def _serve(
    listener: socket.socket,
    guard: Guard,
    opened: Opened,
    document: Document | None,
    addresses: Sequence[str],
    browser: bool,
    say: Callable[[str], None],
) -> None:
    import uvicorn

    from regen.editor.server import application

    loop = asyncio.get_running_loop()
    broken: list[BaseException] = []

    def post(function: Callable[[], None]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is there to be told
            loop.call_soon_threadsafe(function)

    def failed(error: BaseException) -> None:
        if not isinstance(error, RegenError):
            traceback.print_exception(error, file=sys.stderr)
        session.failed(error)

    def on_broken(error: BaseException) -> None:
        broken.append(error)
        server.should_exit = True

    worker = Worker(failed)
    session = Session(opened.kept, worker, opened.name, opened.engine, post, document, on_broken)
    config = uvicorn.Config(
        application(session, guard),
        log_level="error",
        access_log=False,
        ws_max_size=LARGEST_MESSAGE,
        ws="websockets-sansio",
        timeout_graceful_shutdown=2,
        server_header=False,
        date_header=False,
    )
    server = uvicorn.Server(config)
    for name, address in zip(("Editor", "From other machines"), addresses, strict=False):
        say(f"{name}: {address}")
    only = "this address opens it; it holds"
    if len(addresses) > 1:
        only = "these addresses open it; they hold"
    say(f"Only {only} the session's token. Ctrl-C ends the editor.")
    if browser:
        loop.run_in_executor(None, webbrowser.open, addresses[0])
    try:
        await server.serve(sockets=[listener])
    finally:
        worker.close()
    if broken:
        raise broken[0]

"""The page, its socket, uploads and downloads; every address begins with the session's token.

GET  /TOKEN/               the page; GET /TOKEN/NAME one of its files
WS   /TOKEN/socket         messages of the page, channels of the session
POST /TOKEN/picture        an exemplar, as the body
GET  /TOKEN/export/NAME    what was exported last under that name
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import unquote

import anyio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from regen.editor.messages import LONGEST_TEXT, parse
from regen.editor.security import (
    LARGEST_UPLOAD,
    Guard,
    Pace,
    RefusedError,
    check_length,
    headers,
    too_large,
)
from regen.editor.session import Session
from regen.errors import RegenError, printable

PAGE = Path(__file__).parent / "page"
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_WAITING = 256  # messages to a page that does not read; then it is closed, and opens again

Answer = Callable[[Request], Awaitable[Response]]


def application(session: Session, guard: Guard) -> Starlette:
    """The application that serves a session.

    Args:
        session: What is edited.
        guard: Checks every request.
    """
    pages = _Pages(session, guard)
    routes = [
        WebSocketRoute("/{token}/socket", pages.socket),
        Route("/{token}/picture", pages.answering(pages.picture, changes=True), methods=["POST"]),
        Route("/{token}/export/{name}", pages.answering(pages.exported)),
        Route("/{token}/{name:path}", pages.answering(pages.file)),
        Route("/{path:path}", pages.answering(pages.nothing)),
    ]
    return Starlette(routes=routes)


class _Pages:
    """What is done for requests that passed the guard."""

    def __init__(self, session: Session, guard: Guard) -> None:
        self.session, self.guard = session, guard
        self.files = {path.name: path for path in PAGE.iterdir() if path.suffix in _TYPES}

    def answering(self, answer: Answer, *, changes: bool = False) -> Answer:
        """Check a request first; whatever is refused is answered by one line."""

        async def checked(request: Request) -> Response:
            try:
                token = request.path_params.get("token", "")
                self.guard.check(token, request.headers, changes=changes)
                response = await answer(request)
            except RefusedError as refusal:
                response = _line(str(refusal), refusal.status)
            except RegenError as error:
                response = _line(str(error), 400)
            response.headers.update(headers(request.headers.get("host", "")))
            return response

        return checked

    async def file(self, request: Request) -> Response:
        """The page, or one of the files beside it by its name; there are no others."""
        path = self.files.get(request.path_params["name"] or "index.html")
        if path is None:
            raise RefusedError(404, "there is no such file")
        return Response(path.read_bytes(), media_type=_TYPES[path.suffix])

    async def nothing(self, request: Request) -> Response:
        """Addresses without a token never get here, for the guard refuses them."""
        raise RefusedError(404, "there is no such file")

    async def picture(self, request: Request) -> Response:
        """Take the body as the exemplar."""
        check_length(request.headers.get("content-length"))
        name = printable(unquote(request.headers.get("x-name", "")))[-LONGEST_TEXT:] or "image"
        data = bytearray()
        async for part in request.stream():
            data += part
            if len(data) > LARGEST_UPLOAD:
                raise too_large("more")
        done: asyncio.Future[RegenError | None] = asyncio.get_running_loop().create_future()
        self.session.bring(bytes(data), name, done.set_result)
        problem = await done
        if problem is not None:
            raise RefusedError(415, str(problem))
        return JSONResponse({"name": name})

    async def exported(self, request: Request) -> Response:
        """A file that was exported; a name is looked up and never joined to a path."""
        name = request.path_params["name"]
        known = {path.name: path for path in self.session.kept.exports().iterdir()}
        if name not in known or not known[name].is_file() or name.startswith("."):
            raise RefusedError(404, "nothing was exported under this name")
        return FileResponse(known[name], filename=name, content_disposition_type="attachment")

    async def socket(self, socket: WebSocket) -> None:
        """Pass messages of a page to the session, and what the session shows to the page."""
        try:
            self.guard.check(socket.path_params["token"], socket.headers, changes=True)
        except RefusedError:
            # no browser shows a page the reason, and uvicorn calls an answer that has one an error:
            # a page that an earlier editor left open would print that every few seconds
            await socket.close(1008)
            return
        await socket.accept()
        await _Page(socket, self.session).run()


class _Page:
    """One open page."""

    def __init__(self, socket: WebSocket, session: Session) -> None:
        self.socket, self.session, self.pace = socket, session, Pace()
        self.waiting: asyncio.Queue[str] = asyncio.Queue(_WAITING)
        self.behind = asyncio.Event()

    def send(self, message: str) -> None:
        """Queue a message; a page that does not read its messages is closed."""
        try:
            self.waiting.put_nowait(message)
        except asyncio.QueueFull:
            self.behind.set()

    async def run(self) -> None:
        """Until the page closes."""
        self.session.channels.join(self.send)
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(self._write)
                group.start_soon(self._late)
                await self._read()
                group.cancel_scope.cancel()
        finally:
            self.session.channels.leave(self.send)

    async def _late(self) -> None:
        await self.behind.wait()
        with contextlib.suppress(RuntimeError):
            await self.socket.close(1013)

    async def _write(self) -> None:
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):
            while True:
                await self.socket.send_text(await self.waiting.get())

    async def _read(self) -> None:
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):
            while True:
                received = await self.socket.receive()
                if received["type"] == "websocket.disconnect":
                    return
                self._handle(received.get("text") or "")

    def _handle(self, text: str) -> None:
        try:
            if self.pace.check():
                self.session.handle(parse(text))
        except RegenError as error:
            self.send(_said(str(error)))


def _said(line: str) -> str:
    return json.dumps({"channel": "said", "line": line, "good": False})


def _line(text: str, status: int) -> Response:
    # whatever is still being sent is not waited for
    return PlainTextResponse(f"{text}\n", status, headers={"connection": "close"})

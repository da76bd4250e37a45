"""Requests as a page sends them, and as others would like to."""

from __future__ import annotations

import io
import json
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from regen.api import bring
from regen.editor.painting import Picture
from regen.errors import RegenError
from tests.helpers.editor_session import Pages, PretendEngine

pytest.importorskip("starlette", reason="the editor's extra is not installed")
testclient = pytest.importorskip("starlette.testclient", reason="httpx is not installed")

from starlette.websockets import WebSocketDisconnect  # noqa: E402

from regen.editor.security import LARGEST_UPLOAD, Guard  # noqa: E402
from regen.editor.server import PAGE, application  # noqa: E402

HOST = "127.0.0.1:8000"
ORIGIN = {"host": HOST, "origin": f"http://{HOST}"}


class Reader(PretendEngine):
    """Reads what is brought, as the engine does."""

    def brought(self, data: bytes, name: str) -> tuple[Picture, str]:
        bring(data, 64, name=name)
        return Picture("cat.png", name, 30, 45), "the cat"


@pytest.fixture
def pretend() -> PretendEngine:
    return Reader()


@pytest.fixture
def client(pages: Pages) -> Iterator[Any]:
    """A browser on the page; what it starts is computed at once."""
    session, quick = pages.session, pages.worker.quick

    def at_once(name: str, job: Callable[[], None], *, rank: int = 5) -> None:
        quick(name, job, rank=rank)
        pages.worker.run()

    pages.worker.quick = at_once  # type: ignore[method-assign]
    guard = Guard("token", ["127.0.0.1"], 8000)
    with testclient.TestClient(application(session, guard), base_url=f"http://{HOST}") as made:
        yield made


def png(width: int = 8, height: int = 8) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height)).save(file, "PNG")
    return file.getvalue()


def one_line(answer: Any, status: int) -> str:
    assert answer.status_code == status, answer.text
    (line,) = answer.text.splitlines()
    assert line.isprintable() and 5 < len(line) < 400
    return line


def alive(client: Any) -> None:
    """The session answers, and still has its target."""
    with client.websocket_connect("/token/socket", headers=ORIGIN) as socket:
        assert socket.receive_json()["channel"] == "state"
    assert client.get("/token/").status_code == 200


def test_the_page_and_its_files(client: Any) -> None:
    page = client.get("/token/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    for path in PAGE.iterdir():
        answer = client.get(f"/token/{path.name}")
        assert answer.content == path.read_bytes() and answer.headers["cache-control"] == "no-store"
    assert "http://" not in page.text and "https://" not in page.text


@pytest.mark.parametrize(
    "path",
    ["", "x/", "Token/", "token", "x/app.js", "x/export/session.zip", "%74oken%00/"],
)
def test_no_token_no_answer(client: Any, path: str) -> None:
    one_line(client.get(f"/{path}"), 403)
    alive(client)


@pytest.mark.parametrize(
    "path",
    [
        "../session.json",
        "..%2f..%2fetc/passwd",
        "%2e%2e/%2e%2e/etc/passwd",
        "/etc/passwd",
        "export/..%2fsession.json",
        "export/%2fetc%2fpasswd",
        "export/.",
        "export/..",
        "app.js%00.png",
        "page/app.js",
        "x" * 5000,
    ],
)
def test_tricks_with_paths_find_nothing(client: Any, pages: Pages, path: str) -> None:
    pages.do("target.add", sample={"seed": 3})
    answer = client.get(f"/token/{path}")
    assert answer.status_code in (403, 404) and len(answer.text.splitlines()) == 1
    alive(client)


def test_a_wrong_origin_is_refused(client: Any) -> None:
    for origin in ({}, {"origin": "http://evil.example"}, {"origin": "null"}):
        headers = {"host": HOST, **origin}
        assert "origin" in one_line(
            client.post("/token/picture", content=b"", headers=headers), 403
        )
        with pytest.raises(WebSocketDisconnect) as refused:
            client.websocket_connect("/token/socket", headers=headers).__enter__()
        assert refused.value.code == 1008
    alive(client)


def test_another_host_is_refused(client: Any) -> None:
    one_line(client.get("/token/", headers={"host": "evil.example"}), 421)


def test_an_image_becomes_the_exemplar(client: Any, pages: Pages) -> None:
    answer = client.post(
        "/token/picture", content=png(), headers={**ORIGIN, "x-name": "a%20cat.png"}
    )
    assert answer.json() == {"name": "a cat.png"}
    assert pages.session.document.painting.picture.name == "a cat.png"


def bomb() -> bytes:
    """A PNG of 60,000 by 60,000 pixels, which would take ten gigabytes."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        check = zlib.crc32(kind + content).to_bytes(4, "big")
        return len(content).to_bytes(4, "big") + kind + content + check

    size = (60_000).to_bytes(4, "big")
    head = chunk(b"IHDR", size + size + bytes([8, 2, 0, 0, 0]))
    return (
        b"\x89PNG\r\n\x1a\n"
        + head
        + chunk(b"IDAT", zlib.compress(bytes(10_000)))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("data", [b"", b"hello", bomb(), png()[:40], b"<svg/>"])
def test_a_bomb_or_no_image_is_refused_and_the_session_lives(
    client: Any, pages: Pages, data: bytes
) -> None:
    one_line(client.post("/token/picture", content=data, headers=ORIGIN), 415)
    assert pages.session.document.painting.picture is None
    alive(client)


def test_ten_gigabytes_are_refused_unread(client: Any) -> None:
    declared = {**ORIGIN, "content-length": str(10 << 30)}
    assert "at most 64 MB" in one_line(
        client.post("/token/picture", content=b"", headers=declared), 413
    )
    body = io.BytesIO(bytes(LARGEST_UPLOAD + 1))
    assert "at most 64 MB" in one_line(
        client.post("/token/picture", content=body, headers=ORIGIN), 413
    )
    alive(client)


def test_a_thousand_messages_at_once_get_one_line(client: Any, pages: Pages) -> None:
    with client.websocket_connect("/token/socket", headers=ORIGIN) as socket:
        for _ in range(1000):
            socket.send_text('{"do": "redo"}')
        lines = [m["line"] for m in told(socket)]
    assert lines == [
        "too many messages at once: expected at most 60 a second; what came after was not done"
    ]
    alive(client)


def told(socket: Any) -> list[dict[str, Any]]:
    """What was said until the page learns that it is behind all that it sent."""
    seen = []
    while True:
        message = socket.receive_json()
        if message["channel"] == "said":
            return [message]
        seen.append(message)


@pytest.mark.parametrize(
    "text", ["", "x", "[]", '{"do": "explode"}', '{"do": "stroke"}', "[" * 9999]
)
def test_a_message_that_makes_no_sense_gets_one_line(client: Any, text: str) -> None:
    with client.websocket_connect("/token/socket", headers=ORIGIN) as socket:
        socket.send_text(text)
        (said,) = told(socket)
    assert said["good"] is False and said["line"].isprintable()
    alive(client)


def test_bytes_instead_of_text_get_one_line(client: Any) -> None:
    with client.websocket_connect("/token/socket", headers=ORIGIN) as socket:
        socket.send_bytes(b"\xff\xfe")
        (said,) = told(socket)
    assert "not JSON" in said["line"]


def test_two_pages_see_one_session(client: Any) -> None:
    with client.websocket_connect("/token/socket", headers=ORIGIN) as first:
        first.send_text(json.dumps({"do": "target.add", "sample": {"seed": 3}}))
        while (message := first.receive_json())["channel"] != "state" or not message["undo"]:
            assert message["channel"] != "said", message
        with client.websocket_connect("/token/socket", headers=ORIGIN) as second:
            seen = second.receive_json()
            assert seen["painting"]["targets"][0]["label"] == "seed 3"


def test_what_was_exported_is_handed_out_by_its_name_alone(client: Any, pages: Pages) -> None:
    folder = pages.session.kept.exports()
    (folder / "session.zip").write_bytes(b"zip")
    (folder / ".hidden").write_bytes(b"x")
    answer = client.get("/token/export/session.zip")
    assert answer.content == b"zip" and "attachment" in answer.headers["content-disposition"]
    for name in (".hidden", "other.zip"):
        one_line(client.get(f"/token/export/{name}"), 404)


def test_a_fault_while_reading_is_one_line_too(client: Any, pages: Pages) -> None:
    def fail(data: bytes, name: str) -> None:
        raise RegenError("the disk is full")

    pages.session.engine.brought = fail
    assert (
        one_line(client.post("/token/picture", content=png(), headers=ORIGIN), 415)
        == "the disk is full"
    )


def test_the_folder_of_the_page_holds_nothing_else() -> None:
    assert {path.suffix for path in Path(PAGE).iterdir()} == {".html", ".css", ".js", ".svg"}


def test_a_fault_while_an_image_is_read_is_an_answer(client: Any, pretend: Any) -> None:
    def fail(data: bytes, name: str) -> Any:
        raise MemoryError("no room")

    pretend.brought = fail
    answer = client.post("/token/picture", content=png(), headers=ORIGIN)
    assert one_line(answer, 415) == "Something went wrong in regen: MemoryError no room"
    alive(client)

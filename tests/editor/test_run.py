"""The command as a process: it listens on this machine alone, and ends cleanly."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from regen import api
from regen.editor.document import Document
from regen.editor.hosts import from_elsewhere
from regen.editor.kept import Kept
from regen.editor.painting import Painting
from regen.editor.run import Opened, edit
from regen.editor.security import Guard
from regen.errors import RegenError
from tests.helpers.browser import running, start

pytest.importorskip("uvicorn", reason="the editor's extra is not installed")

NONE: Mapping[str, str] = MappingProxyType({})
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version": "13",
}
EYES = Path(__file__).parents[2] / "examples" / "eyes.json"


def asked(authority: str, path: str, headers: Mapping[str, str] = NONE) -> tuple[int, bytes]:
    """The status and the body of an answer."""
    with closing(http.client.HTTPConnection(authority)) as line:
        line.request("GET", path, headers=dict(headers))
        answer = line.getresponse()
        return answer.status, answer.read()


def needs_ipv6() -> None:
    """Skip where the machine has none."""
    try:
        with socket.socket(socket.AF_INET6) as line:
            line.bind(("::1", 0))
    except OSError:
        pytest.skip("this machine has no IPv6")


def test_it_serves_whoever_has_the_address_and_nobody_else(tmp_path: Path) -> None:
    with running(tmp_path / "s") as command:
        _, _, authority, token, _ = command.address.split("/")
        answers = []
        for path in (f"/{token}/", "/", f"/{token[:-1]}x/"):
            answers.append(asked(authority, path))
        assert [status for status, _ in answers] == [200, 403, 403]
        # a page that an earlier editor left open asks for its socket again and again
        assert asked(authority, f"/{token[:-1]}x/socket", UPGRADE)[0] == 403
        assert answers[0][1].startswith(b"<!doctype html>")
        host, port = authority.split(":")
        assert host == "127.0.0.1"
        said = command.end()
    assert command.process.returncode == 130
    assert (
        said
        == f"\nInterrupted: the session is in {tmp_path / 's'}; the same command goes on with it\n"
    )
    assert port.isdecimal()


@pytest.mark.parametrize(
    ("host", "printed"),
    [
        ("127.0.0.1", ["127.0.0.1"]),
        ("LocalHost", ["127.0.0.1"]),
        ("::1", ["[::1]"]),
        ("[::1]", ["[::1]"]),
        ("0.0.0.0", ["127.0.0.1", "192.168.0.7"]),
        ("::", ["[::1]", "192.168.0.7"]),
    ],
)
def test_the_addresses_that_are_printed_are_those_it_answers(
    host: str, printed: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if ":" in host:
        needs_ipv6()
    given: list[Any] = []

    async def serve(listener: object, guard: Guard, *more: Any) -> None:
        given.extend([guard, *more])

    monkeypatch.setattr("regen.editor.run._serve", serve)
    monkeypatch.setattr("regen.editor.run.from_elsewhere", lambda family: "192.168.0.7")
    with pytest.raises(KeyboardInterrupt):
        edit("portraits", tmp_path, host=host, browser=False)
    guard, addresses = given[0], given[3]
    assert [address.rpartition(":")[0] for address in addresses] == [f"http://{p}" for p in printed]
    for address in addresses:
        _, _, authority, token, _ = address.split("/")
        guard.check(token, {"host": authority, "origin": f"http://{authority}"}, changes=True)


def test_other_machines_are_answered_where_it_listens_everywhere(tmp_path: Path) -> None:
    with running(tmp_path / "s", "--host", "0.0.0.0") as command:
        _, _, authority, token, _ = command.address.split("/")
        port = int(authority.split(":")[1])
        with closing(http.client.HTTPConnection("127.0.0.1", port)) as line:
            for host, status in ((f"192.168.0.7:{port}", 200), (f"evil.example:{port}", 421)):
                line.request("GET", f"/{token}/", headers={"Host": host})
                answer = line.getresponse()
                answer.read()
                assert answer.status == status
        assert command.process.stdout is not None
        if from_elsewhere(socket.AF_INET) is not None:
            said = command.process.stdout.readline()
            assert said.startswith("From other machines: http://") and said.endswith(f"/{token}/\n")
        assert "Only th" in command.process.stdout.readline()


def test_ten_gigabytes_in_pieces_are_cut_off(tmp_path: Path) -> None:
    with running(tmp_path / "s") as command:
        _, _, authority, token, _ = command.address.split("/")
        host, port = authority.split(":")
        head = (
            f"POST /{token}/picture HTTP/1.1\r\nHost: {authority}\r\nOrigin: http://{authority}\r\n"
            "Transfer-Encoding: chunked\r\n\r\n"
        )
        piece, sent = bytes(1 << 20), 0
        with socket.create_connection((host, int(port))) as line:
            line.sendall(head.encode())
            try:
                while sent < 10_240:
                    line.sendall(b"100000\r\n" + piece + b"\r\n")
                    sent += 1
            except OSError:
                pass  # it hung up
            assert sent < 1000
        assert asked(authority, f"/{token}/")[0] == 200


def test_two_editors_do_not_share_a_folder(tmp_path: Path) -> None:
    with running(tmp_path / "s"), pytest.raises(AssertionError, match="Error: "):
        start(tmp_path / "s")


@pytest.mark.parametrize("host", ["", " ", "[]", "no such host", "x" * 300, "caf\udce9", "1.2.3.4"])
def test_an_address_that_is_not_of_this_machine_is_refused(host: str, tmp_path: Path) -> None:
    with pytest.raises(RegenError, match=r"^(--host: got|cannot listen on .*another --host, or) "):
        edit("portraits", tmp_path, host=host, browser=False)


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(
            RegenError, match=f"cannot listen on 127.0.0.1:{port}: .*; choose another --port"
        ):
            edit("portraits", tmp_path, port=port, browser=False)


def test_a_generator_that_cannot_be_opened_ends_it(tmp_path: Path) -> None:
    with pytest.raises(RegenError, match="none"):
        edit("none", tmp_path, browser=False, say=lambda line: None)


def test_a_generator_that_an_edits_file_needed_is_not_opened_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []

    def open_generator(name: str, **more: Any) -> api.Generator:
        opened.append(name)
        return original(name, **more)

    def refuse(*given: Any, **more: Any) -> None:
        raise RegenError("that is enough")

    original = api.open_generator
    monkeypatch.setattr(api, "open_generator", open_generator)
    monkeypatch.setattr("regen.editor.engine.Sampling", refuse)
    with pytest.raises(RegenError, match="that is enough"):
        edit("portraits", tmp_path, edits=EYES, browser=False, say=lambda line: None)
    assert opened == ["portraits"]


def test_a_session_that_is_found_again_has_the_images_of_its_edits_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Opened] = []

    async def serve(listener: object, guard: object, opened: Opened, *_: object) -> None:
        seen.append(opened)

    monkeypatch.setattr("regen.editor.run._serve", serve)
    painting = Painting("p", options={"samples": {"pictures": "in"}})
    Kept(tmp_path).save(Document(painting), "portraits")
    for images in (None, Path("others")):
        with pytest.raises(KeyboardInterrupt):
            edit("portraits", tmp_path, images=images, browser=False)
    assert [one.images for one in seen] == [Path("in"), Path("others")]


def test_what_is_not_installed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for there, needs, command in (
        ((), "starlette, uvicorn and websockets", "starlette uvicorn websockets"),
        (("uvicorn",), "starlette and websockets", "starlette websockets"),
        (("starlette", "uvicorn"), "websockets", "websockets"),
    ):
        monkeypatch.setattr(
            "importlib.util.find_spec", lambda name, there=there: name in there or None
        )
        message = f"^the editor needs {needs}; run `pip install {command}`$"
        with pytest.raises(RegenError, match=message):
            edit("portraits", tmp_path, browser=False)

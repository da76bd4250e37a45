"""`regen.files.addresses`: addresses in place of paths, and paths where nothing is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from regen.errors import ImageError
from regen.files.addresses import address_of, not_there, remedy_of


@pytest.mark.parametrize(
    "address",
    ["http://a.b/c.png", "HTTPS://a.b/c", "s3://a/b", "git+ssh://a/b", "file:///home/a.png"],
)
def test_an_address_is_shown_as_it_was_typed(address: str) -> None:
    assert address_of(address) == address_of(Path(address)) == address


@pytest.mark.parametrize(
    "path", ["a.png", "C:/a.png", "C:\\a.png", "a/http://b", "a:b", "", "/", ":/"]
)
def test_what_is_a_path(path: str) -> None:
    assert address_of(path) is None and address_of(Path(path)) is None


def test_what_to_do_about_an_address() -> None:
    assert remedy_of("http://a.b/c") == "download it, and give the local path"
    assert remedy_of("FILE:///a") == "leave the file:// out"


def test_a_path_where_nothing_is() -> None:
    error = not_there(Path("a.png"), ImageError)
    assert type(error) is ImageError and str(error) == "a.png does not exist; check the path"
    told = not_there("a.png", ImageError, name="e.json: a.png", remedy="look for it")
    assert str(told) == "e.json: a.png does not exist; look for it"


def test_an_address_where_a_path_should_be() -> None:
    path = Path("https://a.b/c.png")
    message = "https://a.b/c.png is an address: expected a local file; download it, and give the"
    assert str(not_there(path, ImageError)).startswith(message)
    named = not_there(path, ImageError, name=f"e.json: hole: {path}", expected="a mask")
    assert str(named).startswith("e.json: hole: https://a.b/c.png is an address: expected a mask;")


def test_a_path_that_nobody_may_look_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "stat", refuse)
    error = not_there("closed/a.png", ImageError)
    monkeypatch.undo()
    assert str(error) == (
        "closed/a.png cannot be looked up: Permission denied; ask for permission to enter its "
        "folder"
    )

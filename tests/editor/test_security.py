"""What a request must have."""

from __future__ import annotations

import pytest

from regen.editor.security import Guard, Pace, RefusedError, check_length, headers, new_token

GOOD = {"host": "127.0.0.1:8000", "origin": "http://127.0.0.1:8000"}


@pytest.fixture
def guard() -> Guard:
    return Guard("token", ["127.0.0.1", "localhost"], 8000)


def refused(
    guard: Guard, token: str, given: dict[str, str], *, changes: bool = True
) -> RefusedError:
    with pytest.raises(RefusedError) as refusal:
        guard.check(token, given, changes=changes)
    assert str(refusal.value).isprintable()
    return refusal.value


def test_the_page_itself_passes(guard: Guard) -> None:
    guard.check("token", GOOD, changes=True)
    guard.check("token", {"host": "localhost:8000"}, changes=False)
    guard.check(
        "token", {"host": "localhost:8000", "origin": "http://localhost:8000"}, changes=True
    )


@pytest.mark.parametrize("token", ["", "toke", "tokens", "TOKEN", "é"])
def test_another_token_is_refused(guard: Guard, token: str) -> None:
    assert refused(guard, token, GOOD).status == 403


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "https://127.0.0.1:8000",
        "http://127.0.0.1:8001",
        "null",
        "",
        "file://",
    ],
)
def test_another_origin_is_refused(guard: Guard, origin: str) -> None:
    for changes in (True, False):
        refusal = refused(guard, "token", {**GOOD, "origin": origin}, changes=changes)
        assert refusal.status == 403 and "origin" in str(refusal)


def test_what_changes_something_must_name_its_origin(guard: Guard) -> None:
    assert "got none" in str(refused(guard, "token", {"host": "127.0.0.1:8000"}))


@pytest.mark.parametrize("host", ["", "evil.example:8000", "127.0.0.1", "127.0.0.1:8001"])
def test_a_name_that_another_site_resolved_to_this_machine_is_refused(
    guard: Guard, host: str
) -> None:
    assert refused(guard, "token", {**GOOD, "host": host}, changes=False).status == 421


def test_tokens_cannot_be_guessed() -> None:
    tokens = {new_token() for _ in range(100)}
    assert len(tokens) == 100 and min(map(len, tokens)) >= 22


@pytest.mark.parametrize("declared", ["10000000000", "67108865", "-1", "1e9", "x"])
def test_ten_gigabytes_are_refused_before_they_are_read(declared: str) -> None:
    with pytest.raises(RefusedError, match="upload: got .* bytes, expected at most 64 MB; make"):
        check_length(declared)
    check_length("67108864")
    check_length(None)


def test_a_thousand_messages_at_once_are_too_many_once() -> None:
    now = [0.0]
    pace, passed, told = Pace(lambda: now[0]), 0, 0
    for _ in range(1000):
        try:
            passed += pace.check()
        except RefusedError:
            told += 1
    assert (passed, told) == (120, 1)
    now[0] = 1.0
    assert sum(pace.check() for _ in range(60)) == 60


def test_answers_allow_nothing_from_elsewhere() -> None:
    given = headers("127.0.0.1:8000")
    policy = given["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "connect-src 'self' ws://127.0.0.1:8000" in policy
    assert "unsafe" not in policy and "*" not in policy
    assert given["Referrer-Policy"] == "no-referrer"  # the token is in the address

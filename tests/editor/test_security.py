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


@pytest.mark.parametrize(
    ("host", "asked"),
    [
        ("MyBox.local", "mybox.local:8000"),
        ("MyBox.local", "MYBOX.local:8000"),
        ("2001:DB8::1", "[2001:db8::1]:8000"),
        ("[2001:db8::1]", "[2001:db8::1]:8000"),
    ],
)
def test_the_host_that_it_listens_on_passes_however_it_is_written(host: str, asked: str) -> None:
    guard = Guard("token", ["127.0.0.1", host], 8000)
    guard.check("token", {"host": asked, "origin": f"http://{asked.lower()}"}, changes=True)
    assert refused(guard, "token", {"host": "192.168.0.7:8000"}).status == 421


@pytest.mark.parametrize("asked", ["192.168.0.7:8000", "[2001:db8::1]:8000", "127.0.0.1:8000"])
def test_who_listens_everywhere_is_asked_by_any_number(asked: str) -> None:
    guard = Guard("token", ["127.0.0.1", "0.0.0.0"], 8000, any_number=True)
    guard.check("token", {"host": asked, "origin": f"http://{asked}"}, changes=True)
    other = refused(guard, "token", {"host": asked, "origin": "http://192.168.0.8:8000"})
    assert other.status == 403 and "origin" in str(other)


@pytest.mark.parametrize(
    "asked",
    [
        "evil.example:8000",
        "192.168.0.7",
        "192.168.0.7:80",
        "2001:db8::1:8000",
        "1.2.3.4.example:8000",
    ],
)
def test_who_listens_everywhere_is_asked_by_no_name_and_at_no_other_port(asked: str) -> None:
    guard = Guard("token", ["127.0.0.1", "0.0.0.0"], 8000, any_number=True)
    error = refused(guard, "token", {"host": asked, "origin": f"http://{asked}"})
    assert error.status == 421
    assert str(error).endswith(
        "expected an address of this machine in numbers; write it so, or start the editor with "
        "that name as --host"
    )


def test_the_usual_port_may_be_left_out() -> None:
    guard = Guard("token", ["127.0.0.1"], 80, any_number=True)
    for host in ("127.0.0.1", "127.0.0.1:80", "192.168.0.7", "[2001:db8::1]", "[2001:db8::1]:80"):
        guard.check("token", {"host": host}, changes=False)
    assert refused(guard, "token", {"host": "192.168.0.7:81"}, changes=False).status == 421


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

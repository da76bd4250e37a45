"""What a request must have before anything is done for it.

The page can write files and use the machine, so only the person who started it may. Every address
holds a token that nobody can guess. A page of another site is kept out by its origin, and a name
that another site had resolved to this machine by the host. Bodies and messages have limits.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable, Mapping

from regen.editor.hosts import is_number, written
from regen.errors import RegenError

LARGEST_UPLOAD = 64 << 20  # bytes; a photograph has five to twenty million
LARGEST_MESSAGE = 4 << 20  # of the socket, in bytes
MOST_AT_ONCE = 120  # messages of one page that may come together
PER_SECOND = 60.0  # messages of one page that may follow


class RefusedError(RegenError):
    """A request is refused.

    Attributes:
        status: Of HTTP.
    """

    def __init__(self, status: int, problem: str, **facts: str) -> None:
        super().__init__(problem, **facts)
        self.status = status


def new_token() -> str:
    """128 random bits, in letters that an address may have."""
    return secrets.token_urlsafe(16)


class Guard:
    """Checks requests.

    Args:
        token: What every address begins with.
        hosts: Names and addresses under which the server is reached, without a port.
        port: Its port.
        any_number: Whether it is reached under any address of numbers too. Another site can have a
            name of its own resolved to this machine, but no number.
    """

    def __init__(
        self, token: str, hosts: Iterable[str], port: int, *, any_number: bool = False
    ) -> None:
        self.token, self.any_number = token, any_number
        self.ends = (f":{port}", "") if port == 80 else (f":{port}",)
        self.authorities = {written(host) + end for host in hosts for end in self.ends}

    def check(self, token: str, headers: Mapping[str, str], *, changes: bool) -> None:
        """Refuse what does not come from the page that this server gave out.

        Args:
            token: From the address.
            headers: Of the request.
            changes: Whether the request changes anything; then it must name its origin.

        Raises:
            RefusedError: With the reason, in one line.
        """
        host = headers.get("host", "").lower()
        if not self._knows(host):
            raise RefusedError(421, "host", got=host[:80], **self._expected())
        if not secrets.compare_digest(token.encode(), self.token.encode()):
            raise RefusedError(
                403, "the address lacks this session's token", remedy="open the one regen printed"
            )
        origin = headers.get("origin")
        known = {f"http://{authority}" for authority in {*self.authorities, host}}
        if origin not in known and (changes or origin is not None):
            got = "none" if origin is None else origin[:80]
            raise RefusedError(403, "origin", got=got, expected=min(known))

    def _expected(self) -> dict[str, str]:
        if not self.any_number:
            return {"expected": min(self.authorities)}
        remedy = "write it so, or start the editor with that name as --host"
        return {"expected": "an address of this machine in numbers", "remedy": remedy}

    def _knows(self, authority: str) -> bool:
        if authority in self.authorities:
            return True
        return self.any_number and any(
            authority.endswith(end) and is_number(authority.removesuffix(end)) for end in self.ends
        )


def check_length(declared: str | None) -> None:
    """Refuse a body by what it declares, before any of it is read.

    Raises:
        RefusedError: If it is larger than `LARGEST_UPLOAD`.
    """
    if declared is not None and (not declared.isdecimal() or int(declared) > LARGEST_UPLOAD):
        raise too_large(f"{declared[:20]} bytes")


def too_large(got: str) -> RefusedError:
    """The refusal of a body that is too large."""
    remedy = "make the image smaller"
    return RefusedError(413, "upload", got=got, expected=_limit(), remedy=remedy)


def _limit() -> str:
    return f"at most {LARGEST_UPLOAD >> 20} MB"


class Pace:
    """How many messages a page may send: some at once, then so many a second."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock, self.left, self.seen, self.warned = clock, float(MOST_AT_ONCE), clock(), False

    def check(self) -> bool:
        """Whether a message may pass.

        Raises:
            RefusedError: For the first one that may not; those that follow it just do not pass.
        """
        now = self.clock()
        self.left = min(MOST_AT_ONCE, self.left + (now - self.seen) * PER_SECOND)
        self.seen = now
        if self.left >= 1:
            self.left, self.warned = self.left - 1, False
            return True
        if self.warned:
            return False
        self.warned = True
        raise RefusedError(
            429,
            "too many messages at once",
            expected=f"at most {PER_SECOND:g} a second",
            remedy="what came after was not done",
        )


HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
        "connect-src 'self' {socket}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def headers(authority: str) -> dict[str, str]:
    """Headers of every answer: nothing is kept, nothing is fetched from elsewhere.

    Args:
        authority: Host and port that the page was asked from, for the address of its socket.
    """
    return {name: value.format(socket=f"ws://{authority}") for name, value in HEADERS.items()}

"""The hosts of addresses that reach this machine, as a browser writes them.

A browser writes both in lower case, and IPv6 addresses in brackets. A server that listens on every
address of a machine (0.0.0.0 or ::) cannot know by which of them it will be asked.
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")

_ELSEWHERE = {  # addresses of documentation: a route to them leads out of the machine
    socket.AF_INET: "192.0.2.1",
    socket.AF_INET6: "2001:db8::1",
}


def written(host: str) -> str:
    """A name or address as a browser writes it.

    >>> written("MyBox.local"), written("2001:DB8::1"), written("[::1]")
    ('mybox.local', '[2001:db8::1]', '[::1]')
    """
    bare = host.strip("[]").lower()
    return f"[{bare}]" if ":" in bare else bare


def is_number(host: str) -> bool:
    """Whether a host, as a browser writes it, is an address and not a name.

    A browser writes no zone behind an address; it could hold anything.

    >>> is_number("192.168.0.7"), is_number("[::1]"), is_number("::1"), is_number("mybox")
    (True, True, False, False)
    """
    if "%" in host:
        return False
    inside = host[1:-1] if host.startswith("[") and host.endswith("]") else ""
    try:
        _ = ipaddress.IPv6Address(inside) if inside else ipaddress.IPv4Address(host)
    except ValueError:
        return False
    return True


def is_any(address: str) -> bool:
    """Whether who listens on an address of numbers listens on all that the machine has."""
    return ipaddress.ip_address(address).is_unspecified


def from_elsewhere(family: socket.AddressFamily) -> str | None:
    """The host by which other machines reach this one, None where it has no network.

    Nothing is sent: the system is asked from which of its addresses it would be.
    """
    with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as line:
        line.connect((_ELSEWHERE[family], 9))
        return written(line.getsockname()[0])
    return None

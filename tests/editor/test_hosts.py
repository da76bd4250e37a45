"""Hosts as a browser writes them, and those by which this machine is reached."""

from __future__ import annotations

import socket

import pytest

from regen.editor.hosts import LOOPBACK, from_elsewhere, is_any, is_number, written

FAMILIES = socket.AF_INET, socket.AF_INET6


def test_hosts_are_written_in_lower_case_and_with_brackets_where_they_have_colons() -> None:
    assert [written(host) for host in LOOPBACK] == list(LOOPBACK)
    assert written("2001:DB8::1") == written("[2001:DB8::1]") == "[2001:db8::1]"
    assert written("MyBox.local") == "mybox.local"


@pytest.mark.parametrize(
    ("host", "number"),
    [
        ("10.0.0.7", True),
        ("[2001:db8::1]", True),
        ("2001:db8::1", False),
        ("[10.0.0.7]", False),
        ("10.0.0.7.example", False),
        ("10.0.7", False),
        ("", False),
        ("[]", False),
        ("[fe80::1%eth0]", False),
        ("[::1%; script-src *]", False),
    ],
)
def test_numbers_and_names(host: str, number: bool) -> None:
    assert is_number(host) is number


def test_listening_everywhere() -> None:
    assert is_any("0.0.0.0") and is_any("::")
    assert not is_any("127.0.0.1") and not is_any("::1") and not is_any("fe80::1%eth0")


@pytest.mark.parametrize("family", FAMILIES)
def test_other_machines_reach_this_one_by_a_number(family: socket.AddressFamily) -> None:
    found = from_elsewhere(family)  # this machine may have no network
    assert found is None or is_number(found)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_machine_without_a_network_is_not_reached(
    family: socket.AddressFamily, no_network: None
) -> None:
    assert from_elsewhere(family) is None

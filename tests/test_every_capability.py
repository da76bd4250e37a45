"""Kernels are tested for processors that are not here."""

from __future__ import annotations

import os

import pytest

from stylegan2_ops import _plan
from tests import every_capability


def test_all_but_this_processors_capability_are_tested(monkeypatch: pytest.MonkeyPatch) -> None:
    tested: list[str] = []
    monkeypatch.setattr(every_capability, "in_processes", lambda names: tested.extend(names) or 0)
    assert every_capability.main([]) == 0
    assert sorted([*tested, _plan.capability_here()]) == sorted(_plan._CAPABILITIES)


def test_a_failure_of_one_is_a_failure_of_all(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CXX", "false" if os.name == "posix" else "no-such-compiler")
    assert every_capability.main(["baseline"]) == 1
    assert "failed: baseline" in capfd.readouterr().out


def test_an_unknown_capability_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert every_capability.main(["avx3"]) == 2
    assert "unknown: avx3; known are baseline" in capsys.readouterr().err

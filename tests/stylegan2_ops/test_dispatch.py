"""What runs, who decides, and that nothing happens in silence."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

import pytest
import torch
from torch import Tensor

from stylegan2_ops import Implementation, _dispatch, _library, implementation
from stylegan2_ops._cache import Record
from stylegan2_ops._dispatch import compiled_for, use
from stylegan2_ops._library import Library, Missing

THERE = Library(Path("/cache/x.so"), Record("cpu", "x.so", "", "", "", ""), "avx2")
NONE = Missing("no kernels have been built for cpu")
X = torch.zeros(1)
READ_VARIABLE = _dispatch._from_environment.__wrapped__  # without its memory


@pytest.fixture(autouse=True)
def undecided(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_dispatch, "_decided", {})
    set_variable(monkeypatch, "")


def set_variable(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("STYLEGAN2_OPS", value)
    monkeypatch.setattr(_dispatch, "_from_environment", READ_VARIABLE)


def set_library(monkeypatch: pytest.MonkeyPatch, found: Library | Missing) -> list[str]:
    """Make every device's library be `found`; the list grows by the devices asked for."""
    asked: list[str] = []

    def load(device: str) -> Library | Missing:
        asked.append(device)
        return found

    monkeypatch.setattr(_library, "load", load)
    return asked


@pytest.mark.parametrize("requested", ["auto", "compiled"])
def test_compiled_operators_run_where_they_are(
    requested: _dispatch.Name, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_library(monkeypatch, THERE)
    found = Implementation("compiled", "avx2 kernels of /cache/x.so")
    assert implementation(requested) == found
    assert compiled_for(X)


def test_the_reference_needs_no_library(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = set_library(monkeypatch, THERE)
    assert implementation("reference").name == "reference"
    with use("reference"):
        assert not compiled_for(X)
    assert asked == []


def test_without_a_library_the_reference_runs_and_says_why(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    set_library(monkeypatch, NONE)
    assert implementation() == Implementation(
        "reference",
        "plain torch operators, no kernels have been built for cpu",
        "python -m stylegan2_ops build",
    )


def test_falling_back_is_said_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    set_library(monkeypatch, NONE)
    with caplog.at_level(logging.WARNING):
        implementation()
        assert caplog.messages == []
        assert not any(compiled_for(X) for _ in range(3))
    assert caplog.messages == [
        "stylegan2_ops: plain torch operators, no kernels have been built for cpu "
        "(to compile them: python -m stylegan2_ops build)"
    ]


@pytest.mark.parametrize("requested", ["reference", "auto"])
def test_what_is_not_a_fall_back_is_not_said(
    requested: _dispatch.Name, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    set_library(monkeypatch, NONE if requested == "reference" else THERE)
    with caplog.at_level(logging.DEBUG), use(requested):
        compiled_for(X)
    assert caplog.messages == []


def test_compiled_operators_that_are_missing_are_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    set_library(monkeypatch, NONE)
    message = (
        "compiled operators are requested, but no kernels .* run python -m stylegan2_ops build"
    )
    with pytest.raises(RuntimeError, match=message):
        implementation("compiled")
    with use("compiled"):
        for _ in range(2):
            with pytest.raises(RuntimeError, match=message):
                compiled_for(X)


def test_the_environment_decides_where_nobody_else_does(monkeypatch: pytest.MonkeyPatch) -> None:
    set_library(monkeypatch, THERE)
    set_variable(monkeypatch, "reference")
    assert implementation().reason == "plain torch operators, as set by STYLEGAN2_OPS"
    assert implementation("compiled").name == "compiled"
    assert not compiled_for(X)
    with use("auto"):
        assert compiled_for(X)
    set_library(monkeypatch, NONE)
    set_variable(monkeypatch, "compiled")
    with pytest.raises(RuntimeError, match="compiled operators are set by STYLEGAN2_OPS, but no"):
        implementation()


def test_names_that_do_not_exist_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    known = "must be one of auto, reference, compiled; got 'cuda'"
    with pytest.raises(ValueError, match=f"implementation {known}"):
        implementation("cuda")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=f"implementation {known}"), use("cuda"):  # type: ignore[arg-type]
        pass
    set_variable(monkeypatch, "cuda")
    with pytest.raises(ValueError, match=f"STYLEGAN2_OPS {known}"):
        compiled_for(X)


def test_use_nests_and_ends_with_its_block(monkeypatch: pytest.MonkeyPatch) -> None:
    set_library(monkeypatch, THERE)
    with use("reference"):
        with pytest.raises(KeyError), use("compiled"):
            assert compiled_for(X)
            raise KeyError
        assert not compiled_for(X)
    assert compiled_for(X)


def test_use_concerns_its_own_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    set_library(monkeypatch, THERE)
    seen: list[bool] = []
    with use("reference"):
        thread = threading.Thread(target=lambda: seen.append(compiled_for(X)))
        thread.start()
        thread.join()
        assert seen == [True] and not compiled_for(X)


def test_every_device_is_asked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = set_library(monkeypatch, THERE)
    for _ in range(3):
        assert compiled_for(X)
        assert not compiled_for(X.to("meta"))  # computes nothing
    assert asked == ["cpu"]


def test_the_decision_is_traced_without_a_break_and_renewed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    set_library(monkeypatch, THERE)

    @torch.compile(backend="eager", fullgraph=True)
    def shifted(x: Tensor) -> Tensor:
        return x + 1 if compiled_for(x) else x - 1

    assert shifted(X).item() == 1
    with use("reference"):
        assert shifted(X).item() == -1
    assert shifted(X).item() == 1

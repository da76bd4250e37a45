"""Which implementation of the operators runs: the one place that decides.

The reference is plain torch and runs everywhere. The compiled kernels run where a library has been
built for the device (``python -m stylegan2_ops build``) or came with the package; it is loaded when
an operator first needs it. A request comes from `use`, else from the environment variable
STYLEGAN2_OPS:

    auto       compiled where there is a library, else the reference; the default
    reference  the reference
    compiled   compiled; an error where there is no library, never a silent fall-back
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Literal, NamedTuple, get_args

import torch
from torch import Tensor

from stylegan2_ops import _library
from stylegan2_ops._plan import DEVICES

Name = Literal["auto", "reference", "compiled"]

_NAMES: tuple[Name, ...] = get_args(Name)
_VARIABLE = "STYLEGAN2_OPS"
_log = logging.getLogger("stylegan2_ops")
_used: ContextVar[Name | None] = ContextVar("stylegan2_ops", default=None)
_decided: dict[tuple[Name | None, str], bool] = {}


class Implementation(NamedTuple):
    """What runs and why, in words for `regen doctor`.

    Attributes:
        name: "reference" or "compiled".
        reason: Why it runs.
        remedy: The command that may get compiled kernels where they are missing; else empty.
    """

    name: str
    reason: str
    remedy: str = ""


def implementation(requested: Name = "auto", device: str = "cpu") -> Implementation:
    """Resolve a request into what will run.

    Args:
        requested: "auto" gives what operators do by default: what `use` requests, else what the
            environment requests, else compiled if possible. "reference" and "compiled" are final.
        device: Type of the device that the tensors are on, such as "cpu" or "cuda".

    Returns:
        The implementation and the reason it was chosen.

    Raises:
        ValueError: If `requested`, or the environment variable, is not such a name.
        RuntimeError: If "compiled" is requested and there is no library for the device.

    Example:
        >>> implementation("reference")
        Implementation(name='reference', reason='plain torch operators, as requested', remedy='')
    """
    name, source = _check(requested, "implementation"), "requested"
    if name == "auto":
        used = _used.get()
        name = used or _from_environment()
        source = "requested" if used else f"set by {_VARIABLE}"
    if name == "reference":
        return Implementation("reference", f"plain torch operators, as {source}")
    library = _library.load(device)
    if isinstance(library, _library.Library):
        return Implementation("compiled", f"{library.runs_on} kernels of {library.path}")
    if name == "compiled":
        remedy = f"; run {library.remedy}" if library.remedy else ""
        raise RuntimeError(f"compiled operators are {source}, but {library.why}{remedy}")
    return Implementation("reference", f"plain torch operators, {library.why}", library.remedy)


@contextmanager
def use(name: Name) -> Iterator[None]:
    """Run the operators called in this block, in this thread, with an implementation.

    Raises:
        ValueError: If the name is unknown. Whether "compiled" is available is checked on use.

    Example:
        >>> with use("reference"):
        ...     implementation().name
        'reference'
    """
    token = _used.set(_check(name, "implementation"))
    try:
        yield
    finally:
        _used.reset(token)


def compiled_for(x: Tensor) -> bool:
    """Whether the compiled operators should run on `x`; quick enough for every call.

    Raises:
        ValueError: As `implementation`.
        RuntimeError: As `implementation`.
    """
    if not torch.compiler.is_compiling() and _transformed():
        return False
    return _decide(_used.get(), "cpu" if x.is_cpu else x.device.type)


def capability() -> str:
    """The instructions that the CPU kernels use, such as "avx2"; "" where there are none."""
    library = _library.load("cpu")
    return library.runs_on if isinstance(library, _library.Library) else ""


def _transformed() -> bool:
    """Whether forward-mode derivatives or a transform of torch.func are active.

    The kernels have rules for reverse mode only, so the reference runs under these.
    """
    forward = torch.autograd.forward_ad._current_level >= 0
    return forward or torch._C._functorch.peek_interpreter_stack() is not None  # None: no transform


def _decide(used: Name | None, device: str) -> bool:
    decision = _decided.get((used, device))
    if decision is None and device == "meta":
        decision = False  # nothing is computed there
    elif decision is None:
        found = implementation("auto", device)
        decision = found.name == "compiled"
        automatic = (used or _from_environment()) == "auto"
        if automatic and not decision and device in DEVICES:
            remedy = f" (to compile them: {found.remedy})" if found.remedy else ""
            _log.warning("stylegan2_ops: %s%s", found.reason, remedy)
        _decided[used, device] = decision
    return decision


# To torch.compile the decision is a constant, renewed when the value of `_used` changes; so it may
# load a library while it is traced, which could not be traced itself. This is all that
# torch.compiler.assume_constant_result does, except that it also imports the whole compiler, which
# takes as long as importing torch.
_decide.__dict__["_dynamo_marked_constant"] = True


@cache
def _from_environment() -> Name:
    return _check(os.environ.get(_VARIABLE) or "auto", _VARIABLE)


def _check(name: str, what: str) -> Name:
    for known in _NAMES:
        if name == known:
            return known
    raise ValueError(f"{what} must be one of {', '.join(_NAMES)}; got {name!r}")

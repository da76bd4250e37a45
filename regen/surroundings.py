"""What regen computes, whatever its caller has set in torch.

A notebook may have switched gradients off for all of its cells, call from inside an inference mode
or an autocast, or have set a default device. A fit would fail without gradients, and numbers come
out otherwise in half precision; the number format is a setting of regen's.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch

from regen.errors import RegenError

_AUTOCAST = ("cpu", "cuda", "mps")


@contextmanager
def unaffected() -> Iterator[None]:
    """Inside the block, or the function that it decorates, torch is as in a new process.

    The default dtype cannot be changed for one thread alone, so another one than float32 is an
    error.

    Raises:
        RegenError: If torch's default dtype is not float32.

    Example:
        >>> with torch.no_grad(), unaffected():
        ...     torch.is_grad_enabled()
        True
    """
    default = torch.get_default_dtype()
    if default != torch.float32:
        raise RegenError(
            "torch's default dtype",
            got=default,
            expected="torch.float32",
            remedy="call torch.set_default_dtype(torch.float32)",
        )
    with ExitStack() as stack:
        stack.enter_context(torch.inference_mode(mode=False))
        stack.enter_context(torch.enable_grad())
        for kind in _AUTOCAST:
            if torch.is_autocast_enabled(kind):
                stack.enter_context(torch.autocast(kind, enabled=False))
        if torch.get_default_device().type != "cpu":
            stack.enter_context(torch.device("cpu"))
        yield

"""What a translated image is a function of, and what its tail needs beside the features.

Shapes: N samples; S numbers of a style; M of its code; C, h, w of features; H, W of the image.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class TranslateLatent:
    """Images of domain A, and the styles that they are translated in.

    Attributes:
        images: ``[N, 3, H, W]`` in [-1, 1].
        styles: ``[N, S]``, unbounded.
    """

    images: Tensor
    styles: Tensor

    def __len__(self) -> int:
        return len(self.images)

    def select(self, index: Tensor | Sequence[int]) -> TranslateLatent:
        """The samples ``index``, in this order; repetitions are allowed."""
        index = torch.as_tensor(index, dtype=torch.int64, device=self.images.device)
        return TranslateLatent(self.images[index], self.styles[index])


@dataclass(frozen=True)
class TranslateContext:
    """What the rest of the decoder needs beside the features.

    Attributes:
        code: What adaptive norms read, ``[N, M]``.
        held: Inside of a residual block its input, ``[N, C, h, w]``; None between blocks.
    """

    code: Tensor
    held: Tensor | None = None

    def select(self, index: Tensor) -> TranslateContext:
        """The context of the samples `index`."""
        return TranslateContext(self.code[index], None if self.held is None else self.held[index])

    def join(self, others: Sequence[TranslateContext]) -> TranslateContext:
        """This context's samples followed by those of `others`, of the same cut."""
        all_of = [self, *others]
        held = [context.held for context in all_of if context.held is not None]
        assert len(held) in (0, len(all_of)), "contexts of different cuts"
        code = torch.cat([context.code for context in all_of])
        return TranslateContext(code, torch.cat(held) if held else None)

    def detach(self) -> TranslateContext:
        """The same context outside of any autograd graph."""
        held = None if self.held is None else self.held.detach()
        return TranslateContext(self.code.detach(), held)

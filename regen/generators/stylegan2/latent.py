"""What a StyleGAN2 image is a function of, and what its tail needs beside the features.

Shapes: N samples; L convolutions; W dimensions of w; r size of a layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from regen.generators.stylegan2.crop import Crop


@dataclass(frozen=True)
class StyleLatent:
    """What a StyleGAN2 image is a function of.

    Attributes:
        ws: Style codes ``[N, L + 1, W]``, truncation applied.
        noise: One tensor per convolution, ``[r, r]`` (shared) or ``[N, 1, r, r]``, or None.
    """

    ws: Tensor
    noise: tuple[Tensor | None, ...]

    def __len__(self) -> int:
        return len(self.ws)

    def __repr__(self) -> str:
        """Its shape, without the numbers."""
        silent = sum(layer is None for layer in self.noise)
        noise = "none" if silent == len(self.noise) else f"{len(self.noise) - silent} layers"
        return f"<StyleLatent of ws {list(self.ws.shape)}, noise: {noise}>"

    def select(self, index: Tensor | Sequence[int]) -> StyleLatent:
        """The samples ``index``, in this order; repetitions are allowed."""
        index = torch.as_tensor(index, dtype=torch.int64, device=self.ws.device)
        return StyleLatent(self.ws[index], _select_noise(self.noise, index))


@dataclass(frozen=True)
class StyleContext:
    """What the tail needs beside the features.

    Attributes:
        latent: Style codes and noise.
        rgb: The image summed over the resolutions so far, ``[N, 3, r', r']``, or None.
        crop: The windows of the image that the features belong to; None for whole images.
    """

    latent: StyleLatent
    rgb: Tensor | None
    crop: Crop | None = None

    def select(self, index: Tensor) -> StyleContext:
        """The context of the samples `index`."""
        rgb = None if self.rgb is None else self.rgb[index]
        crop = None if self.crop is None else self.crop.select(index.tolist())
        return StyleContext(self.latent.select(index), rgb, crop)

    def join(self, others: Sequence[StyleContext]) -> StyleContext:
        """This context's samples followed by those of `others`."""
        contexts = [self, *others]
        ws = torch.cat([c.latent.ws for c in contexts])
        noises = zip(*(c.latent.noise for c in contexts), strict=True)
        counts = [len(c.latent) for c in contexts]
        noise = tuple(_join_noise(layer, counts) for layer in noises)
        rgbs = [c.rgb for c in contexts if c.rgb is not None]  # of the same cut: all or none
        crops = [c.crop for c in others if c.crop is not None]
        crop = None if self.crop is None else self.crop.join(crops)
        return StyleContext(StyleLatent(ws, noise), torch.cat(rgbs) if rgbs else None, crop)

    def detach(self) -> StyleContext:
        """The same context outside of any autograd graph."""
        noise = tuple(
            n.detach() if n is not None and n.requires_grad else n for n in self.latent.noise
        )
        latent = StyleLatent(self.latent.ws.detach(), noise)
        return StyleContext(latent, None if self.rgb is None else self.rgb.detach(), self.crop)


def _select_noise(noise: tuple[Tensor | None, ...], index: Tensor) -> tuple[Tensor | None, ...]:
    return tuple(n[index] if n is not None and n.ndim == 4 else n for n in noise)


def _join_noise(parts: Sequence[Tensor | None], counts: Sequence[int]) -> Tensor | None:
    """One layer's noise of several contexts: what all of them share stays shared."""
    first = next((n for n in parts if n is not None), None)
    if first is None or (first.ndim == 2 and all(n is first for n in parts)):
        return first
    silence = first.new_zeros(first.shape[-2:])
    each = zip((silence if n is None else n for n in parts), counts, strict=True)
    return torch.cat([n.expand(count, 1, *n.shape[-2:]) for n, count in each])

"""LPIPS on SqueezeNet 1.1, without what the `lpips` package imports.

`lpips` imports torchvision, and with its detection operators torch's compiler: 1.3 seconds, as long
as torch itself, in every command that measures anything. This is the same arithmetic for the
backbone that is the default; its weights are the package's, and so are the other two backbones.

Sources: Zhang et al. 2018, "The Unreasonable Effectiveness of Deep Features as a Perceptual
Metric", section 3, Eq. (1); Iandola et al. 2016, "SqueezeNet", tables 1 and 2, in version 1.1.

Shapes: N images of H x W pixels; seven layers l of C_l channels.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from regen.errors import MetricError
from stylegan2_ops import conv2d

CHANNELS = (64, 128, 256, 384, 384, 512, 512)
_ENDS = (2, 5, 8, 10, 11, 12, 13)  # of the seven layers, in torchvision's numbers, not included
_MEAN, _DEVIATION = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)  # of images in [-1, 1]
_SMALLEST_LENGTH = 1e-10


class Fire(nn.Module):
    """A 1x1 convolution to few channels, then 1x1 and 3x3 convolutions to many, side by side."""

    def __init__(self, inputs: int, few: int, many: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(inputs, few, 1)
        self.expand1x1 = nn.Conv2d(few, many, 1)
        self.expand3x3 = nn.Conv2d(few, many, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.squeeze(x), inplace=True)
        wide = self.expand3x3
        expanded = conv2d(x, wide.weight, wide.bias, padding=1)
        return F.relu(torch.cat([self.expand1x1(x), expanded], dim=1), inplace=True)


class SqueezeNet(nn.Sequential):
    """The convolutions of SqueezeNet 1.1, by torchvision's numbers."""

    def __init__(self) -> None:
        def pool() -> nn.Module:
            return nn.MaxPool2d(3, stride=2, ceil_mode=True)

        super().__init__(
            nn.Conv2d(3, 64, 3, stride=2),
            nn.ReLU(inplace=True),
            pool(),
            Fire(64, 16, 64),
            Fire(128, 16, 64),
            pool(),
            Fire(128, 32, 128),
            Fire(256, 32, 128),
            pool(),
            Fire(256, 48, 192),
            Fire(384, 48, 192),
            Fire(384, 64, 256),
            Fire(512, 64, 256),
        )

    def forward(self, x: Tensor) -> list[Tensor]:
        """``[N, 3, H, W]`` to the outputs of the seven layers, ``[N, C_l, h_l, w_l]``.

        They are channels_last, in which the whole takes half the time: on a CPU the pools are four
        to nine times as quick.
        """
        x = x.contiguous(memory_format=torch.channels_last)
        found: list[Tensor] = []
        for end, layer in enumerate(self, start=1):
            x = layer(x)
            if end in _ENDS:
                found.append(x)
        return found


class Scaling(nn.Module):
    """Images in [-1, 1] to what ImageNet networks were trained on."""

    mean: Tensor
    deviation: Tensor

    def __init__(self) -> None:
        super().__init__()
        for name, values in (("mean", _MEAN), ("deviation", _DEVIATION)):
            self.register_buffer(name, torch.tensor(values)[None, :, None, None], persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        return (images - self.mean) / self.deviation


class SqueezeLpips(nn.Module):
    """LPIPS with its parts under the names that `lpips.LPIPS` gives them.

    Raises:
        MetricError: If the linear weights of the `lpips` package cannot be read.

    Attributes:
        scaling_layer: What the backbone sees of images in [-1, 1].
        net: The backbone, see `SqueezeNet`.
        lins: For each of its layers the weight of each channel, as a 1x1 convolution.
    """

    def __init__(self) -> None:
        super().__init__()
        self.scaling_layer = Scaling()
        self.net = SqueezeNet().to(memory_format=torch.channels_last)
        self.lins = nn.ModuleList(nn.Conv2d(c, 1, 1, bias=False) for c in CHANNELS)
        weights = {f"{i}.weight": weight for i, weight in enumerate(_linear_weights())}
        self.lins.load_state_dict(weights)

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """Distances ``[N, 1, 1, 1]`` of two batches ``[N, 3, H, W]`` in [-1, 1]."""
        one, two = (
            [unit_length(x) for x in self.net(self.scaling_layer(images))] for images in (a, b)
        )
        return compared(self.lins, one, two)


def compared(lins: Iterable[nn.Module], one: list[Tensor], two: list[Tensor]) -> Tensor:
    """Distances ``[N, 1, 1, 1]`` of two lists of layers, each from `unit_length`.

    Weighting after the mean is less work, and the same: in eval mode weights are linear.
    """
    parts: list[Tensor] = [
        lin((a - b).square().mean(dim=(2, 3), keepdim=True))
        for lin, a, b in zip(lins, one, two, strict=True)
    ]
    return torch.stack(parts).sum(dim=0)


def unit_length(features: Tensor) -> Tensor:
    """``[N, C, h, w]`` with the channels of each position divided by their length."""
    length: Tensor = torch.linalg.vector_norm(features, dim=1, keepdim=True)
    return features / (length + _SMALLEST_LENGTH)


def _linear_weights() -> list[Tensor]:
    """The weights of the `lpips` package, ``[1, C_l, 1, 1]`` each; it is not imported for them."""
    spec = find_spec("lpips")
    assert spec is not None and spec.origin is not None, "regen requires it"
    path = Path(spec.origin).parent / "weights" / "v0.1" / "squeeze.pth"
    try:
        stored = torch.load(path, map_location="cpu", weights_only=True)
        return [
            stored[f"lin{i}.model.1.weight"].reshape(1, channels, 1, 1)
            for i, channels in enumerate(CHANNELS)
        ]
    except Exception as error:  # torch raises whatever the damage leads to
        raise MetricError(
            f"{path}: damaged ({type(error).__name__} while reading it)",
            remedy="pip install --force-reinstall lpips",
        ) from error

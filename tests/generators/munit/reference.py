"""MUNIT a second time, in both layouts: from what is known of its files, on tensors by their names.

Nothing is shared with `regen.generators.munit`: norms are written out, the mapping's output is cut
one sample after the other, and every layer is read by the name that it has in the original's file.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

State = Mapping[str, Tensor]


def translate_2018(p: State, image: Tensor, style: Tensor, blocks: int = 4) -> Tensor:
    """Image ``[N, 3, H, W]`` in [-1, 1], style ``[N, 8]``."""
    x = image
    for i, stride in enumerate((1, 2, 2)):
        x = F.relu(_instance(_conv(p, f"enc_content.model.{i}.conv", x, stride)))
    for i in range(blocks):
        name = f"enc_content.model.3.model.{i}.model"
        y = F.relu(_instance(_conv(p, f"{name}.0.conv", x)))
        x = x + _instance(_conv(p, f"{name}.1.conv", y))
    code = F.relu(F.linear(style, p["mlp.model.0.fc.weight"], p["mlp.model.0.fc.bias"]))
    code = F.relu(F.linear(code, p["mlp.model.1.fc.weight"], p["mlp.model.1.fc.bias"]))
    code = F.linear(code, p["mlp.model.2.fc.weight"], p["mlp.model.2.fc.bias"])
    left = [list(row.split(x.shape[1])) for row in code]

    def adapted(y: Tensor) -> Tensor:
        rows = []
        for one, numbers in zip(_instance(y), left, strict=True):
            shift, scale = numbers.pop(0), numbers.pop(0)
            rows.append(one * scale[:, None, None] + shift[:, None, None])
        return torch.stack(rows)

    for i in range(blocks):
        name = f"dec.model.0.model.{i}.model"
        y = F.relu(adapted(_conv(p, f"{name}.0.conv", x)))
        x = x + adapted(_conv(p, f"{name}.1.conv", y))
    assert not any(left)
    for i in (2, 4):
        x = _conv(p, f"dec.model.{i}.conv", _twice(x))
        flat = x.flatten(1)
        mean, deviation = flat.mean(1)[:, None, None, None], flat.std(1)[:, None, None, None]
        x = (x - mean) / (deviation + 1e-5)
        gamma, beta = p[f"dec.model.{i}.norm.gamma"], p[f"dec.model.{i}.norm.beta"]
        x = F.relu(x * gamma[:, None, None] + beta[:, None, None])
    return torch.tanh(_conv(p, "dec.model.5.conv", x))


def translate_2021(p: State, image: Tensor, style: Tensor, blocks: int = 4) -> Tensor:
    """Image ``[N, 3, H, W]`` in [-1, 1], style ``[N, 8]``; spectral norms are folded."""
    x = image
    for i, stride in enumerate((1, 2, 2)):
        x = _conv(p, f"content_encoder.model.{i}.layers.conv", x, stride)
        x = F.relu(_affine(p, f"content_encoder.model.{i}.layers.norm", x))
    for i in range(3, 3 + blocks):
        y = x
        for half in (0, 1):
            name = f"content_encoder.model.{i}.conv_block_{half}.layers"
            y = _conv(p, f"{name}.conv", F.relu(_affine(p, f"{name}.norm", y)))
        x = x + y
    code = style
    for i in (0, 1):
        name = f"mlp.model.{i}.layers.conv"
        code = F.relu(F.linear(code, p[f"{name}.weight"], p[f"{name}.bias"]))
    for i in range(blocks):
        y = x
        for half in (0, 1):
            name = f"decoder.decoder.{i}.conv_block_{half}.layers"
            y = _conv(p, f"{name}.conv", F.relu(_adaptive(p, f"{name}.norm", y, code)))
        x = x + y
    for i in (blocks + 1, blocks + 3):
        name = f"decoder.decoder.{i}.layers"
        x = F.relu(_adaptive(p, f"{name}.norm", _conv(p, f"{name}.conv", _twice(x)), code))
    return _conv(p, f"decoder.decoder.{blocks + 4}.layers.conv", x)


def style_of(p: State, image: Tensor, layout: str) -> Tensor:
    """The style ``[N, 8]`` of an image ``[N, 3, H, W]``."""
    name, conv = ("enc_style", "conv") if layout == "2018" else ("style_encoder", "layers.conv")
    for i, stride in enumerate((1, 2, 2, 2, 2)):
        image = F.relu(_conv(p, f"{name}.model.{i}.{conv}", image, stride))
    mean, weight = image.mean((2, 3)), p[f"{name}.model.6.weight"]
    return mean @ weight[:, :, 0, 0].T + p[f"{name}.model.6.bias"]


def _conv(p: State, name: str, x: Tensor, stride: int = 1) -> Tensor:
    weight = p[f"{name}.weight"]
    border = {7: 3, 5: 2, 4: 1, 3: 1}[weight.shape[2]]
    return F.conv2d(
        F.pad(x, [border] * 4, mode="reflect"), weight, p[f"{name}.bias"], stride=stride
    )


def _instance(x: Tensor) -> Tensor:
    centred = x - x.mean((2, 3), keepdim=True)
    return centred / (centred.square().mean((2, 3), keepdim=True) + 1e-5).sqrt()


def _affine(p: State, name: str, x: Tensor) -> Tensor:
    weight, bias = p[f"{name}.weight"], p[f"{name}.bias"]
    return _instance(x) * weight[:, None, None] + bias[:, None, None]


def _adaptive(p: State, name: str, x: Tensor, code: Tensor) -> Tensor:
    name = f"{name}.fc.layers.conv"
    numbers = code @ p[f"{name}.weight"].T + p[f"{name}.bias"]
    gamma, beta = numbers[:, : x.shape[1], None, None], numbers[:, x.shape[1] :, None, None]
    return _instance(x) * (1 + gamma) + beta


def _twice(x: Tensor) -> Tensor:
    return x.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)

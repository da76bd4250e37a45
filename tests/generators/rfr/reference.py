"""RFR a second time: from what its paper and its published files say, on tensors by their names.

Nothing is shared with `regen.generators.rfr`: masks have all channels here, windows are counted by
convolutions of ones, and attention goes sample by sample.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

State = Mapping[str, Tensor]


def fill(p: State, image: Tensor, mask: Tensor, rounds: int = 6) -> Tensor:
    """Image ``[N, 3, H, W]`` in [0, 1], mask ``[N, 3, H, W]``, 1 where it is known."""
    x, m = _partial(p["Pconv1.weight"], image, mask, 2)
    x, m = _partial(p["Pconv2.weight"], F.relu(_norm(p, "bn1", x)), m)
    x = F.relu(_norm(p, "bn20", x))
    group, memory = [(x, m)], None
    for _ in range(rounds):
        x, m = _partial(p["Pconv21.weight"], x, m)
        x, m = _partial(p["Pconv22.weight"], x, m)
        x, memory = _reason(p, F.leaky_relu(_norm(p, "bn2", x)), m[:, :1], memory)
        x = x * m
        group.append((x, m))
    shares = torch.stack([m for _, m in group]).mean(0) + 1e-7
    x = torch.stack([x * m for x, m in group]).mean(0) / shares
    x = F.conv_transpose2d(x, p["Tconv.weight"], stride=2, padding=1)
    x = torch.cat([image, F.leaky_relu(_norm(p, "bn3", x))], 1)
    m = torch.cat([mask, F.interpolate(m, scale_factor=2)], 1)
    x = F.leaky_relu(_partial(p["tail1.weight"], x, m)[0])
    y = F.relu(_norm(p, "tail2.bn1", F.conv2d(x, p["tail2.conv1.weight"])))
    y = F.relu(_norm(p, "tail2.bn2", F.conv2d(y, p["tail2.conv2.weight"], padding=1)))
    y = F.relu(_norm(p, "tail2.bn3", F.conv2d(y, p["tail2.conv3.weight"])) + x)
    return F.conv2d(torch.cat([x, y], 1), p["out.weight"], padding=1)


def _norm(p: State, name: str, x: Tensor) -> Tensor:
    mean, var = p[f"{name}.running_mean"], p[f"{name}.running_var"]
    scale = p[f"{name}.weight"] / (var + 1e-5).sqrt()
    return x * scale[:, None, None] + (p[f"{name}.bias"] - mean * scale)[:, None, None]


def _partial(weight: Tensor, x: Tensor, m: Tensor, stride: int = 1) -> tuple[Tensor, Tensor]:
    pad = weight.shape[2] // 2
    known = F.conv2d(m, torch.ones_like(weight), stride=stride, padding=pad)
    after = known.clamp(0, 1)
    factor = weight[0].numel() / (known + 1e-8) * after
    return F.conv2d(x * m, weight, stride=stride, padding=pad) * factor, after


def _reason(p: State, x: Tensor, m: Tensor, memory: object) -> tuple[Tensor, object]:
    seen = [x]
    for i in range(1, 7):
        wide = {"padding": 2, "dilation": 2} if i > 3 else {"padding": 1, "stride": 2}
        x = F.conv2d(x, p[f"RFRModule.enc_{i}.0.weight"], **wide)
        x = F.relu(_norm(p, f"RFRModule.enc_{i}.1", x))
        seen.append(x)
    for i in (5, 4, 3, 2, 1):
        x, weight = torch.cat([x, seen[i]], 1), p[f"RFRModule.dec_{i}.0.weight"]
        if i > 3:
            x = F.conv2d(x, weight, padding=2, dilation=2)
        else:
            x = F.conv_transpose2d(x, weight, stride=2, padding=1)
        x = F.leaky_relu(_norm(p, f"RFRModule.dec_{i}.1", x), 0.2)
        if i == 3:
            x, memory = _attend(p, x, m, memory)
    return x, memory


def _attend(p: State, x: Tensor, m: Tensor, memory: object) -> tuple[Tensor, object]:
    m = F.interpolate(m, x.shape[2:])
    ratio, results, kept = p["RFRModule.att.att.ratio"].abs() + 1e-7, [], []
    for n, features in enumerate(x):
        kernels = features.flatten(1).T + 1e-7
        kernels = kernels / kernels.norm(dim=1, keepdim=True)
        scores = torch.einsum("kc,chw->khw", kernels, features)
        neighbours = F.pad(scores, (1, 1, 1, 1)).unfold(1, 3, 1).unfold(2, 3, 1)
        scores = neighbours.sum((3, 4)).softmax(0)
        if memory is not None:
            before, mask = memory[0][n], memory[1][n]
            scores = (before * mask + scores * ratio) / (mask + ratio)
        kept.append(scores)
        results.append(torch.einsum("kc,khw->chw", kernels, scores))
    weight, bias = p["RFRModule.att.combiner.weight"], p["RFRModule.att.combiner.bias"]
    return F.conv2d(torch.cat([torch.stack(results), x], 1), weight, bias), (kept, m)

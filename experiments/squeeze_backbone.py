"""Write LPIPS's squeeze backbone as it ships in the package, from torchvision's file.

    python -m experiments.squeeze_backbone ~/.cache/torch/hub/checkpoints/squeezenet1_1-b8a52dc0.pth

Only what LPIPS reads is kept: the features, without the classifier. Convolutions are rounded to
half precision, biases are not. The licence of the weights stands in the header.
"""

from __future__ import annotations

from pathlib import Path

import click
import torch
from torch import Tensor

from regen.files import tensor_file
from regen.metrics.backbone_weights import BUNDLED, FORMAT, VERSION

LICENCE = BUNDLED.with_name("LICENSE-torchvision.txt")
LAST = 12  # of the features; LPIPS reads no more
PROVENANCE = (
    "torchvision's squeezenet1_1 (ImageNet), layers features.0 to features.12, "
    "convolutions rounded to half precision"
)


def shipped(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """What LPIPS reads of torchvision's weights: kernels in half precision, biases in float32."""
    kept = {
        name: tensor
        for name, tensor in weights.items()
        if name.startswith("features.") and int(name.split(".")[1]) <= LAST
    }
    return {name: tensor.half() if tensor.dim() > 1 else tensor for name, tensor in kept.items()}


@click.command()
@click.argument("source", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), default=BUNDLED, show_default=True)
def main(source: Path, output: Path) -> None:
    """Write the squeeze backbone of the package from torchvision's file."""
    weights = torch.load(source, map_location="cpu", weights_only=True)
    header = {
        "format": FORMAT,
        "version": VERSION,
        "provenance": PROVENANCE,
        "licence": LICENCE.read_text(encoding="utf-8"),
    }
    tensor_file.save(output, shipped(weights), header)


if __name__ == "__main__":
    main()

"""How much the images that D sees are changed; nothing here imports torch.

`regen.generators.stylegan2.training.augmentation` changes them.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from regen.errors import RegenError


@dataclass(frozen=True)
class Augmentation:
    """How much images are changed; 0 leaves out a kind of change.

    Attributes:
        brightness: Added to all pixels, up to this much either way; images are in [-1, 1].
        saturation: The distance of each pixel to its own grey is multiplied by 1 plus or minus
            up to this.
        contrast: The same for the distance to the image's mean.
        translation: Shift in both directions, up to this share of the side; grey comes in.
        cutout: Side of a grey square, as a share of the image's, at a random position.

    Raises:
        RegenError: If a value is out of range.
    """

    brightness: float = 0.5
    saturation: float = 1.0
    contrast: float = 0.5
    translation: float = 0.125
    cutout: float = 0.5

    def __post_init__(self) -> None:
        for spec in fields(self):
            value = getattr(self, spec.name)
            if not 0 <= value <= 1:
                raise RegenError(f"augmentation: {spec.name}", got=value, expected="0 to 1")

    @classmethod
    def none(cls) -> Augmentation:
        """No change at all."""
        return cls(0.0, 0.0, 0.0, 0.0, 0.0)

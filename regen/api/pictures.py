"""Images and masks: from files and from what a notebook has at hand, and into files and sheets."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import torch
from PIL import Image as Pillow
from torch import Tensor

from regen.edits.schema import Image
from regen.errors import ImageError
from regen.files.paths import checked_path
from regen.images import grid
from regen.images import load_image as _load_image
from regen.images import load_mask as _load_mask
from regen.images import save_image as _save_image
from regen.images import to_pil as _to_pil
from regen.images.given import Given, check_plain, checked, image_source, mask_source
from regen.images.sheets import draw_cells, usual_columns
from regen.numbers import plain
from regen.surroundings import unaffected


@unaffected()
def load_image(
    image: Given,
    *,
    size: int | tuple[int, int] | None = None,
    fit: Literal["cover", "contain", "stretch"] = "cover",
) -> Tensor:
    """An image as the tensor that every function here takes, ``[1, 3, H, W]`` in [-1, 1].

    Args:
        image: An image file (path, bytes or data URI) of any kind; an image of Pillow; or an array
            ``[H, W]``, ``[H, W, 3]`` or ``[H, W, 4]``, of whole numbers from 0 to 255 or of floats
            from 0 to 1. Transparent pixels are laid over white.
        size: Side of a square, or (height, width), in pixels; ``generator.image_size`` for
            instance. None keeps the image's own.
        fit: "cover" fills the size and cuts off what sticks out, "contain" shows all of the image
            between white margins, "stretch" distorts it.

    Raises:
        ImageError: If the image cannot be read, or a value is not valid.
    """
    return _load_image(image_source(image), size=size, fit=fit)


@unaffected()
def load_mask(mask: Given) -> Tensor:
    """A mask as a tensor, ``[1, 1, H, W]`` in [0, 1], 1 inside.

    Args:
        mask: An image file or an image of Pillow, of which the alpha channel counts where any pixel
            is transparent, and the brightness elsewhere; or an array or a tensor ``[H, W]`` of
            truth values, or of floats from 0 to 1.

    Raises:
        ImageError: If it cannot be read.
    """
    return _load_mask(mask_source(mask))


def save_image(image: Tensor, path: Path | str) -> None:
    """Write one image as PNG, JPEG or WebP; whole or not at all.

    Args:
        image: ``[3, H, W]`` or ``[1, 3, H, W]``, floating-point numbers, of which [-1, 1] is kept.
        path: Ends in .png, .jpg, .jpeg or .webp. Its folder must exist; a file there is replaced.

    Raises:
        ImageError: If `image` is not one image, is of whole numbers or on another scale, or the
            suffix is none of those.
        StoreError: If the file cannot be written.

    Example:
        ``for seed, image in zip(seeds, images): regen.save_image(image, f"seed{seed:04}.png")``
    """
    expected = "a path, after the image"
    path = checked_path(path, ImageError, "path to save to", expected=expected)
    _save_image(path, _checked(image))


def to_pil(image: Tensor) -> Pillow.Image:
    """One image ``[3, H, W]`` or ``[1, 3, H, W]`` in [-1, 1] as an image of Pillow, RGB.

    Raises:
        ImageError: If it is not one image, is of whole numbers, or on another scale.
    """
    return _to_pil(_checked(image))


def sheet(
    images: Tensor | Iterable[Tensor],
    labels: Iterable[object] | None = None,
    *,
    columns: int | None = None,
) -> Pillow.Image:
    """Images side by side as one image of Pillow, which a notebook shows and ``save`` writes.

    Args:
        images: ``[N, 3, H, W]`` in [-1, 1], or N images ``[3, H, W]``, of any sizes with labels.
        labels: One each, of which the text is drawn above the image; images below 200 pixels are
            shown twice as large then. Without labels they keep their pixels.
        columns: How many side by side; by default as many as rows or a few more, at most 16.

    Raises:
        ImageError: If there is no image, something is none, or there are not as many labels.

    Example:
        >>> import torch
        >>> sheet(torch.zeros(4, 3, 64, 64)).size
        (130, 130)
    """
    if isinstance(images, Tensor):
        check_plain(images, "images")
        images = images[None] if images.dim() == 3 else images
    if not isinstance(images, Iterable):
        raise ImageError("images", got=type(images).__name__, expected="several tensors [3, H, W]")
    shown = [_checked(image, f"images[{i}]") for i, image in enumerate(images)]
    if not shown:
        raise ImageError("images", got="none", expected="at least one")
    columns = usual_columns(len(shown)) if columns is None else _checked_columns(columns)
    if labels is not None:
        written = [str(label) for label in labels] if isinstance(labels, Iterable) else []
        if len(written) != len(shown):
            raise ImageError("labels", got=len(written), expected=f"{len(shown)}, one an image")
        return draw_cells([_to_pil(image) for image in shown], written, columns)
    sizes = {tuple(image.shape) for image in shown}
    if len(sizes) > 1:
        raise ImageError("images", got="several sizes", expected="one size, or labels")
    return _to_pil(grid(torch.stack([image.float().cpu() for image in shown]), columns)[0])


def exemplar_image(source: str, *, within: str = "") -> Tensor:
    """The image that an exemplar of an edits file names, ``[1, 3, H, W]`` in [-1, 1].

    Args:
        source: A path, a data URI, or ``"skimage:chelsea"``.
        within: What names it: messages begin with it.

    Raises:
        EditsError: If scikit-image is needed for it, and is not installed.
        ImageError: If the image cannot be read.
    """
    return Image(source).load(within=within)


def _checked(image: Tensor, name: str = "image") -> Tensor:
    if not isinstance(image, Tensor):
        raise ImageError(
            name,
            got=type(image).__name__,
            expected="a tensor [3, H, W] in [-1, 1]",
            remedy="`regen.load_image` makes one",
        )
    return checked(image, name)


def _checked_columns(columns: int) -> int:
    count = plain(columns)
    if type(count) is not int or count < 1:
        raise ImageError("columns", got=repr(columns), expected="1 or more")
    return count

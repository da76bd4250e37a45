"""A folder or zip of images, checked before anything is trained on it.

Every file is decoded once. Problems of the folder are returned as one list of *findings*, each with
what will be done about it, so that all can be corrected at once; the images that remain are kept in
memory, cropped to their middle and resized.

Shapes: M images that remain; S side to train at.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from regen.errors import ImageError, TrainingError, printable
from regen.images import load_image, to_uint8
from regen.images.collection import LABELS_FILE, Collection, Entry, open_collection
from regen.images.decoding import header

FEW = 2_000  # images below which a discriminator soon memorises them
_SQUARE = 0.01  # sides that differ by less are a square
_NAMED = 3  # files a finding names
_MODES = {
    "L": "grey",
    "1": "black and white",
    "P": "palette",
    "CMYK": "CMYK",
    "LA": "grey with alpha",
    "PA": "palette with alpha",
    "RGBA": "alpha",
}


@dataclass(frozen=True)
class Finding:
    """Something about a folder that whoever trains on it should know.

    Attributes:
        problem: "not square", for instance.
        action: What will be done about it.
        files: Names of the files it is about.
    """

    problem: str
    action: str
    files: tuple[str, ...]

    def text(self, most: int | None = _NAMED) -> str:
        """In words, with the names of so many files; None names all."""
        shown = printable(", ".join(self.files[:most]))
        left = 0 if most is None else max(0, len(self.files) - most)
        more = f" and {left} more" if left else ""
        plural = "" if len(self.files) == 1 else "s"
        return f"{len(self.files)} file{plural} {self.problem}: {self.action} ({shown}{more})"

    def __str__(self) -> str:
        return self.text()


@dataclass(frozen=True)
class ImageFolder:
    """Images to train on.

    Attributes:
        images: uint8 ``[M, 3, S, S]``, on the CPU.
        names: Their files' names.
        findings: What was found.
        digest: SHA-256 of the images, in their order.
    """

    images: Tensor
    names: tuple[str, ...]
    findings: tuple[Finding, ...]
    digest: str

    def report(self, *, every_name: bool = False) -> str:
        """All findings, a line each, after how many images remain."""
        count, size = len(self.images), self.images.shape[-1]
        head = f"{count} images of {size}x{size} to train on"
        most = None if every_name else _NAMED
        return "\n".join([head, *(f"  {finding.text(most)}" for finding in self.findings)])


class _Survey:
    """Findings while they are gathered: by problem and action, the files."""

    def __init__(self) -> None:
        self.found: dict[tuple[str, str], list[str]] = {}

    def note(self, problem: str, action: str, name: str) -> None:
        self.found.setdefault((problem, action), []).append(name)

    def findings(self) -> tuple[Finding, ...]:
        return tuple(Finding(p, a, tuple(files)) for (p, a), files in self.found.items())


def read_folder(
    folder: Path,
    size: int,
    *,
    enlarge: bool = False,
    sizes: Sequence[int] = (),
    on_file: Callable[[], None] | None = None,
) -> ImageFolder:
    """Read and check all images of a folder or zip, see `regen.images.collection`.

    Args:
        folder: The folder or zip.
        size: S.
        enlarge: Keep images smaller than S, enlarged, which makes them blurred.
        sizes: Other sizes that could be chosen; a finding about small images names one that fits.
        on_file: Called after each file.

    Returns:
        The images in the order of their names, and the findings.

    Raises:
        ImageError: If it is neither, or has no images.
        TrainingError: If fewer than two images remain, or they do not fit into memory. All
            findings are in the message.
    """
    survey = _Survey()
    names: list[str] = []
    seen: dict[bytes, str] = {}
    with open_collection(folder) as found:
        _note_others(found, survey)
        _check_memory(len(found.entries), size)
        room = torch.empty(len(found.entries), 3, size, size, dtype=torch.uint8)
        for entry in found.entries:
            image = _read(entry, size, enlarge, sizes, survey)
            if image is not None:
                room[len(names)] = image[0]
                content = hashlib.sha256(room[len(names)].numpy().data).digest()
                if content in seen:
                    survey.note(f"the same image as {seen[content]}", "left out", entry.name)
                else:
                    seen[content] = entry.name
                    names.append(entry.name)
            if on_file is not None:
                on_file()
    findings = survey.findings()
    if len(names) < 2:
        raise TrainingError(
            f"{folder}: images to train on",
            got="; ".join([str(len(names)), *map(str, findings)]),
            expected="at least 2",
        )
    images = room[: len(names)]  # what lies behind was never written to, and takes no memory
    digest = hashlib.sha256(images.numpy().data).hexdigest()
    return ImageFolder(images, tuple(names), findings, digest)


def _note_others(found: Collection, survey: _Survey) -> None:
    """Note what is there and is not used; hidden files are passed over."""
    for name in found.folders:
        survey.note("that is a folder", "skipped", name)
    for name in found.others:
        survey.note("without an image suffix", "left out", name)
    if found.labelled:
        survey.note(
            "with classes", "classes are not trained, all images are treated alike", LABELS_FILE
        )


def _read(
    entry: Entry, size: int, enlarge: bool, sizes: Sequence[int], survey: _Survey
) -> Tensor | None:
    """The image as uint8 ``[1, 3, S, S]``, or None where it is left out."""
    name = entry.name
    try:
        source = entry.source()
        image = load_image(source, size=size, name=entry.label)
        width, height, mode, transparent, _ = header(source, entry.label)
    except ImageError as error:
        why = re.split("[,;:]", str(error).removeprefix(f"{printable(entry.label)} "))[0]
        survey.note(f"cannot be read ({why})", "left out", name)
        return None
    if min(width, height) < size:
        problem = f"smaller than {size} pixels"
        if not enlarge:
            fits = max((side for side in sizes if side <= min(width, height)), default=None)
            smaller = "" if fits is None else f", --size {fits} as they are"
            survey.note(problem, f"left out; --enlarge keeps them, blurred{smaller}", name)
            return None
        survey.note(problem, "enlarged, so blurred", name)
    if abs(width - height) > _SQUARE * max(width, height):
        survey.note("not square", "only the middle is used", name)
    _note_mode(mode, transparent, name, survey)
    return to_uint8(image)


def _note_mode(mode: str, transparent: bool, name: str, survey: _Survey) -> None:
    if mode == "RGB" and not transparent:
        return
    if transparent:
        survey.note("with transparency", "laid over white", name)
    else:
        word = _MODES.get(mode, "16 bits" if mode.startswith("I") else mode)
        survey.note(f"not in RGB ({word})", "converted to RGB", name)


def _check_memory(count: int, size: int) -> None:
    need = 3 * size**2 * count
    try:
        there = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # not on every system
        return
    if need > there // 2:
        raise TrainingError(
            f"{count} images of {size}x{size} in memory",
            got=f"{need / 1e9:.1f} GB",
            expected=f"at most {there / 2e9:.1f} GB, half of this machine's memory",
            remedy="train at a smaller size, or on fewer images",
        )

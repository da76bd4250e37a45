"""Second moments of keys, kept on disk: each is measured once for a generator.

One file for each convolution, named by the generator's digest, in ``NAME.keys`` beside the
generator's file; where that cannot be written to, or the generator is bundled, in the user's
folder for caches: ``$REGEN_CACHE``, or ``regen`` in ``$XDG_CACHE_HOME``, by default ``~/.cache``.
A file that is damaged or of another generator is measured again. A cache that cannot be written
costs time but never fails the run. Samples of a finite source are the user's own and differ from
run to run, so their moments are not kept.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

import torch
from torch import Tensor

from regen.errors import GeneratorError, StoreError
from regen.files import tensor_file
from regen.files.atomic import ensure_folder
from regen.generators.protocol import Generator, Source
from regen.generators.registry import BUNDLED, generator_path
from regen.generators.samples import reserved_samples
from regen.generators.split import Split
from regen.rewriting.key_moments import KeyMoment, check_keyed, measure_moments
from regen.seeds import MOMENTS

FORMAT = "key moment"
VERSION = 1
SAMPLES = 24
_MOST_AT_ONCE = 8


def key_moments(
    generator: Generator, split: Split, source: Source, taken: Collection[int] = ()
) -> dict[str, KeyMoment]:
    """C of each convolution of the memory, from the cache or from `SAMPLES` random samples.

    Args:
        generator: As it was opened, without a rewrite.
        split: Of the same.
        source: Its samples.
        taken: Numbers of the source that are targets.

    Returns:
        One moment for each convolution, by the name of its weight inside the memory.

    Raises:
        RewriteError: If the family does not provide keys.
    """
    check_keyed(split)
    if source.count is not None:
        return _measured(generator, split, source, taken)
    digest = generator.digest()
    shapes = {name: p.shape for name, p in split.memory.named_parameters()}
    wanted = [name for name in split.memory_weights() if len(shapes[name]) == 4]
    folders = cache_folders(generator.source_name)
    found = {}
    for name in wanted:
        moment = _read(folders, digest, split.full_name(name), shapes[name][1:].numel())
        if moment is not None:
            found[name] = moment
    if len(found) == len(wanted):
        return found
    measured = _measured(generator, split, source, ())
    for name in wanted:
        if name not in found:  # what is kept stays: measured anew, its last bits may be others
            _write(folders, digest, split.full_name(name), measured[name])
    return {**measured, **found}


def _measured(
    generator: Generator, split: Split, source: Source, taken: Collection[int]
) -> dict[str, KeyMoment]:
    samples = reserved_samples(source, MOMENTS, SAMPLES, taken)
    size = min(generator.batch_size, _MOST_AT_ONCE)
    keys = (split.head(latent) for latent in generator.batches(samples, size))
    return {name: _as_kept(moment) for name, moment in measure_moments(split, keys).items()}


def _as_kept(moment: KeyMoment) -> KeyMoment:
    """Rounded as the file rounds it, so that the first run gives the same rewrite as later ones."""
    return KeyMoment(moment.values.float().double(), moment.vectors.float().double())


def cache_folders(source_name: str) -> list[Path]:
    """Where moments of a generator may lie, the best place first; "" for one without a file.

    A relative $XDG_CACHE_HOME or $HOME names no place, as it would be another one in each folder.
    """
    named = os.environ.get("REGEN_CACHE")
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join("~", ".cache")
    user = Path(named) if named else Path(os.path.expanduser(base), "regen")
    folders = [user / "keys"] if named or user.is_absolute() else []
    if source_name and source_name not in BUNDLED:
        try:
            path = generator_path(source_name)
        except GeneratorError:
            return folders
        folders.insert(0, path.parent / f"{path.stem}.keys")
    return folders


def _file(folder: Path, digest: str, name: str) -> Path:
    return folder / f"{digest[:16]}-{name}.safetensors"


def _read(folders: list[Path], digest: str, name: str, size: int) -> KeyMoment | None:
    for folder in folders:
        path = _file(folder, digest, name)
        if not path.is_file():
            continue
        try:
            stored = tensor_file.load(path, format=FORMAT, version=VERSION)
            return _checked(stored, digest, name, size)
        except StoreError:
            continue  # measured again, and the file replaced
    return None


def _checked(stored: tensor_file.Stored, digest: str, name: str, size: int) -> KeyMoment:
    expected = {"values": torch.zeros(size), "vectors": torch.zeros(size, size)}
    tensors = tensor_file.check_tensors(stored.tensors, expected, name)
    header = stored.header
    belongs = (header.get("base"), header.get("convolution"), header.get("samples"))
    finite = all(bool(tensor.isfinite().all()) for tensor in tensors.values())
    if belongs != (digest, name, SAMPLES) or not finite:
        raise StoreError(f"the key moment of {name}", got="one of something else")
    return KeyMoment(tensors["values"].double(), tensors["vectors"].double())


def _write(folders: list[Path], digest: str, name: str, moment: KeyMoment) -> None:
    header = {
        "format": FORMAT,
        "version": VERSION,
        "base": digest,
        "convolution": name,
        "samples": SAMPLES,
    }
    tensors: dict[str, Tensor] = {
        "values": moment.values.float(),
        "vectors": moment.vectors.float(),
    }
    for folder in folders:
        try:
            tensor_file.save(_file(ensure_folder(folder), digest, name), tensors, header)
            return
        except StoreError:
            continue

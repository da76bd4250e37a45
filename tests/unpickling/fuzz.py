"""Damages small honest files at random and reads them: only a RegenError may come of it, and soon.

    python -m tests.unpickling.fuzz --files 20000 --seconds 900 --seed 0

Kinds of files take turns: pickles, torch files, safetensors, checkpoints of damaged networks and
translators, images, and edits files. File number i of a seed is always the same. One that ends in
anything but success or a RegenError of one printable line that names it, takes over two seconds of
the processor, or makes the process larger than it may, is kept under its number, and the exit code
is 1.
"""

from __future__ import annotations

import argparse
import random
import resource
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from torch import Tensor

from regen.errors import RegenError
from regen.files import tensor_file
from regen.generators.registry import read_checkpoint
from regen.generators.stylegan2.files import load_discriminator
from regen.runs.info import describe
from regen.unpickling import Instance, globals_of, read_pickle, read_torch_file, sniff
from tests.unpickling import fuzz_files, fuzz_images, fuzz_translators
from tests.unpickling.fuzz_damage import damaged_bytes, damaged_safetensors, damaged_zip

SLOWEST_SECONDS = 2.0
MOST_BYTES, TIMES_THE_FILE = 300 << 20, 3  # beyond those of the process before it began
LONGEST_MESSAGE = 1000

Damage = Callable[[bytes, random.Random, list[bytes]], bytes]
Reader = Callable[[Path], object]


@dataclass(frozen=True)
class Kind:
    """A kind of files.

    Attributes:
        honest: Makes files that are whole.
        damage: Damages one of them, given all.
        readers: What each file is read with.
    """

    honest: Callable[[], list[bytes]]
    damage: Damage
    readers: Sequence[Reader]


def _network(data: bytes, source: random.Random, others: list[bytes]) -> bytes:
    return fuzz_files.damaged_network(source)


def _translator(data: bytes, source: random.Random, others: list[bytes]) -> bytes:
    return fuzz_translators.damaged_translator(source)


def _generator(path: Path) -> object:
    return read_checkpoint(path).generator.state_dict()


def _discriminator(path: Path) -> object:
    found = load_discriminator(path)
    return None if found is None else dict(found.tensors)


def _foreign_tensors(path: Path) -> object:
    with path.open("rb") as file:
        return tensor_file.foreign_tensors(path, file)


_PICKLED: tuple[Reader, ...] = (read_pickle, read_torch_file, globals_of, sniff, _generator)
_STORED: tuple[Reader, ...] = (
    *(tensor_file.load, tensor_file.read_header, tensor_file.has_header, _foreign_tensors),
    *(_discriminator, _generator, describe),
)
KINDS = {
    "pickle": Kind(fuzz_files.pickles, damaged_bytes, _PICKLED),
    "torch": Kind(fuzz_files.torch_files, damaged_zip, _PICKLED),
    "safetensors": Kind(fuzz_files.safetensors_files, damaged_safetensors, _STORED),
    "network": Kind(lambda: [b""], _network, (_generator, describe)),
    "translator": Kind(lambda: [b""], _translator, (_generator, describe)),
    "image": Kind(
        fuzz_images.images,
        fuzz_images.damaged_image,
        (fuzz_images.read_image, fuzz_images.read_mask),
    ),
    "edits": Kind(
        fuzz_images.edits_files, fuzz_images.damaged_edits, (fuzz_images.read_edits_file,)
    ),
}


@cache
def honest_files(kind: str) -> list[bytes]:
    """Files of a kind that are whole."""
    return KINDS[kind].honest()


def file_of(kind: str, number: int, seed: int) -> bytes:
    """File `number` of a kind and a seed."""
    source, honest = random.Random(f"{kind}:{seed}:{number}"), honest_files(kind)
    return KINDS[kind].damage(honest[number % len(honest)], source, honest)


def outcomes(path: Path, readers: Sequence[Reader]) -> Iterator[str]:
    """Read a file in every way; "read" or "refused" for each. Other errors are raised."""
    for reader in readers:
        begin = time.process_time()
        try:
            _walk(reader(path))
            yield "read"
        except RegenError as error:
            _check_message(str(error), path)
            yield "refused"
        seconds = time.process_time() - begin
        if seconds > SLOWEST_SECONDS:
            raise TimeoutError(f"{reader.__name__} took {seconds:.1f} s")


def _check_message(message: str, path: Path) -> None:
    if not message.isprintable() or str(path) not in message or len(message) > LONGEST_MESSAGE:
        raise ValueError(f"a message that is long, not printable or without its file: {message!r}")


def _walk(value: object) -> None:
    """Touch everything that was read, by recursion, as whoever uses it might."""
    match value:
        case dict():
            for key, item in value.items():
                _walk((key, item))
        case list() | tuple() | set() | frozenset():
            for item in value:
                _walk(item)
        case Instance():
            _walk((repr(value), value.arguments, value.state))
        case Tensor():
            value.clone().reshape(-1)
        case np.ndarray():
            value.copy()
        case tensor_file.Stored():
            _walk((value.tensors, value.header))
        case _:
            hash(value) if not isinstance(value, bytearray) else len(value)


def peak_bytes() -> int:
    """The most memory that this process has had."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most << 10


def run(
    files: int, seconds: float, seed: int, keep: Path, kinds: Sequence[str] = tuple(KINDS)
) -> Counter[str]:
    """Fuzz until `files` or `seconds` are reached; counts, with "failed" among them.

    Args:
        files: How many files to make.
        seconds: When to stop at the latest.
        seed: Of all randomness.
        keep: A folder; files that failed are put there.
        kinds: Of `KINDS`, which take turns.
    """
    counts: Counter[str] = Counter()
    begin = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        _warm_up(path, kinds)
        usual = peak_bytes()
        for number in range(files):
            if time.monotonic() - begin > seconds:
                break
            kind = kinds[number % len(kinds)]
            data = file_of(kind, number // len(kinds), seed)
            path.write_bytes(data)
            counts["files"] += 1
            try:
                counts.update(outcomes(path, KINDS[kind].readers))
                if peak_bytes() > usual + MOST_BYTES + TIMES_THE_FILE * len(data):
                    raise MemoryError(f"{peak_bytes() - usual:,} bytes for a file of {len(data):,}")
            except Exception:
                counts["failed"] += 1
                usual = max(usual, peak_bytes())
                kept = keep / f"fuzz-{kind}-{seed}-{number // len(kinds)}.bin"
                kept.write_bytes(data)
                print(f"{kept}:\n{traceback.format_exc()}")
    return counts


def _warm_up(path: Path, kinds: Sequence[str]) -> None:
    """Whatever is imported and allocated on first use, is now."""
    for kind in kinds:
        for data in honest_files(kind):
            path.write_bytes(data)
            if data:
                list(outcomes(path, KINDS[kind].readers))


def main() -> int:
    """The command; gives its exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--seconds", type=float, default=900)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kind", choices=KINDS, action="append", help="by default all")
    parser.add_argument("--keep", type=Path, default=Path(), help="folder for files that fail")
    options = parser.parse_args()
    warnings.simplefilter("error")
    kinds = options.kind or tuple(KINDS)
    counts = run(options.files, options.seconds, options.seed, options.keep, kinds)
    print(
        f"{counts['files']} files: {counts['read']} readings succeeded, "
        f"{counts['refused']} were refused, {counts['failed']} files failed"
    )
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())

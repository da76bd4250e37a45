"""Damages small honest files at random and reads them: only a RegenError may come of it.

    python -m tests.unpickling.fuzz --files 10000 --seconds 120 --seed 0

File number i of a seed is always the same. One that ends in anything but success or a RegenError,
or takes over two seconds of the processor, is kept under its number, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import io
import pickle
import random
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from regen.errors import RegenError
from regen.unpickling import Instance, globals_of, read_pickle, read_torch_file, sniff
from tests.unpickling import writer

_SLOWEST_SECONDS = 2.0
_READERS: tuple[Callable[[Path], object], ...] = (read_pickle, read_torch_file, globals_of, sniff)
_SPLICES = [
    *(bytes([code]) for code in range(256)),
    b"cos\nsystem\n",
    b"cbuiltins\nset\n",
    b"ctorch._utils\n_rebuild_tensor_v2\n",
    b"cnumpy.core.multiarray\n_reconstruct\n",
    b"\x8a\x08" + b"\xff" * 7 + b"\x7f",
    b"J\xff\xff\xff\xff",
    b"j\xff\xff\xff\xff",
    b"h\x00",
    b"h\x01",
]


def honest_files() -> list[bytes]:
    """Small files of every form that is read, with tensors and arrays in most of them."""
    torch.manual_seed(0)
    weight = torch.randn(3, 2)
    state = writer.module_state({"weight": weight}, {"w_avg": weight[0]}, {}, z_dim=4)
    network = {"G_ema": writer.persistent("Generator", state), "D": None}
    kwargs = {"resolution": 4, "psi": np.float32(0.5)}
    tf = writer.tensorflow_network("Gs", kwargs, {"w": np.ones((2, 3), np.float32)})
    plain = {"a": [1, 2.5, "x", b"y", None, True], "b": ({1, 2}, frozenset("a"), 2**70, 1j)}
    space = argparse.Namespace(size=4, array=np.arange(4.0), device=torch.device("cpu"))
    files = [writer.pickled(network, 3), writer.pickled(network), writer.pickled((tf,) * 3)]
    files += [pickle.dumps({**plain, "array": np.eye(2)}, protocol) for protocol in range(6)]
    for zipped in (True, False):
        file = io.BytesIO()
        saved = {"g_ema": {"w": weight, "t": weight.t()}, "args": space}
        torch.save(saved, file, _use_new_zipfile_serialization=zipped)
        files.append(file.getvalue())
    return files


def mutated(data: bytes, random: random.Random, others: list[bytes]) -> bytes:
    """The data, damaged in one to four places."""
    out = bytearray(data)
    for _ in range(random.randint(1, 4)):
        at = random.randrange(len(out) + 1)
        match random.randrange(7):
            case 0 if out:
                out[at % len(out)] ^= 1 << random.randrange(8)
            case 1:
                del out[at:]
            case 2:
                out[at:at] = random.choice(_SPLICES)
            case 3:
                splice = random.choice(_SPLICES)
                out[at : at + len(splice)] = splice
            case 4:
                size = random.choice((1, 2, 4, 8))
                value = random.choice((0, 1, 127, 255, 256, (1 << 31) - 1, (1 << 32) - 1, 1 << 63))
                out[at : at + size] = (value & ((1 << 8 * size) - 1)).to_bytes(size, "little")
            case 5:
                length = random.randint(1, 64)
                out[at:at] = out[max(at - length, 0) : at] * random.choice((1, 1, 2, 50))
            case 6:
                other = random.choice(others)
                start = random.randrange(len(other))
                out[at:at] = other[start : start + random.randint(1, 64)]
    return bytes(out)


def file_of(number: int, seed: int, honest: list[bytes]) -> bytes:
    """File `number` of a seed."""
    source = random.Random(f"{seed}:{number}")
    return mutated(honest[number % len(honest)], source, honest)


def outcomes(path: Path) -> Iterator[str]:
    """Read a file in every way; "read" or "refused" for each. Other errors are raised."""
    for reader in _READERS:
        begin = time.process_time()
        try:
            _walk(reader(path))
            yield "read"
        except RegenError:
            yield "refused"
        seconds = time.process_time() - begin
        if seconds > _SLOWEST_SECONDS:
            raise TimeoutError(f"{reader.__name__} took {seconds:.1f} s")


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
        case _:
            hash(value) if not isinstance(value, bytearray) else len(value)


def run(files: int, seconds: float, seed: int, keep: Path) -> Counter[str]:
    """Fuzz until `files` or `seconds` are reached; counts, with "failed" among them.

    Args:
        files: How many files to make.
        seconds: When to stop at the latest.
        seed: Of all randomness.
        keep: A folder; files that failed are put there.
    """
    counts: Counter[str] = Counter()
    honest = honest_files()
    begin = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        for number in range(files):
            if time.monotonic() - begin > seconds:
                break
            data = file_of(number, seed, honest)
            path.write_bytes(data)
            counts["files"] += 1
            try:
                counts.update(outcomes(path))
            except Exception:
                counts["failed"] += 1
                kept = keep / f"fuzz-{seed}-{number}.bin"
                kept.write_bytes(data)
                print(f"{kept} (file {number} of seed {seed}):\n{traceback.format_exc()}")
    return counts


def main() -> int:
    """The command; gives its exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, default=Path(), help="folder for files that fail")
    options = parser.parse_args()
    warnings.simplefilter("error")
    counts = run(options.files, options.seconds, options.seed, options.keep)
    print(
        f"{counts['files']} files: {counts['read']} readings succeeded, "
        f"{counts['refused']} were refused, {counts['failed']} files failed"
    )
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())

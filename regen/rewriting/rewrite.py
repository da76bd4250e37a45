"""A rewrite is a value: a change of some weights, to apply, scale, compose, revert and save.

Applying never touches the generator it was made for unless asked to, and always keeps the
original tensors, so that reverting restores the generator bit for bit.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from os.path import isdir  # unlike those of Path, they raise nothing
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from regen.errors import RewriteError, StoreError
from regen.files import tensor_file
from regen.files.budget import is_finite
from regen.files.paths import checked_path
from regen.files.run_files import REWRITE_FILE
from regen.generators.protocol import Generator, checked_open
from regen.numbers import plain
from regen.rewriting.rewrite_checks import check_finite, check_fits, named
from regen.surroundings import unaffected

FORMAT = "rewrite"
VERSION = 1


@dataclass(frozen=True)
class Rewrite:
    """A change of a generator's weights.

    Attributes:
        deltas: What is added, by the generator's names, float32.
        base: Digest of the generator it belongs to.
        family: Its family.
        settings: How it was made; JSON values only.
    """

    deltas: Mapping[str, Tensor]
    base: str
    family: str
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        """What it changes, without the numbers."""
        shapes = ", ".join(f"{name} {list(d.shape)}" for name, d in sorted(self.deltas.items()))
        weights = f"{len(self.deltas)} weight{'' if len(self.deltas) == 1 else 's'}"
        changed = f"{weights}: {shapes}" if shapes else "no weights"
        return f"<Rewrite of {self.family} generator {self.base[:12]}, {changed}>"

    def scaled(self, strength: float) -> Rewrite:
        """The rewrite `strength` times as strong; 0 changes nothing, below 0 is the opposite.

        Raises:
            RewriteError: If `strength` is not a finite number.
        """
        strength = plain(strength)
        if not is_finite(strength):
            raise RewriteError("strength", got=repr(strength), expected="a finite number")
        deltas = {name: delta * strength for name, delta in self.deltas.items()}
        total = strength * self.settings.get("strength", 1.0)
        return Rewrite(deltas, self.base, self.family, {**self.settings, "strength": total})

    @unaffected()
    def applied_to(self, generator: Generator) -> Generator:
        """A copy of `generator` with the rewrite applied; unchanged tensors are shared.

        Raises:
            RewriteError: If the rewrite belongs to another generator.
        """
        parameters = dict(checked_open(generator).named_parameters())
        check_fits(generator, parameters, self.base, self.deltas)
        own = [*generator.parameters(), *generator.buffers()]
        changed = {id(parameters[name]) for name in self.deltas}
        shared = {id(tensor): tensor for tensor in own if id(tensor) not in changed}
        copied = copy.deepcopy(generator, dict(shared))
        with torch.no_grad():
            for name, parameter in copied.named_parameters():
                if name in self.deltas:
                    parameter.add_(self.deltas[name].to(parameter))
        return copied

    def save(self, path: Path | str) -> None:
        """Write a safetensors file; equal rewrites give equal bytes.

        Raises:
            RewriteError: If a delta is not of finite real numbers.
            StoreError: If the file cannot be written; nothing is left behind then.
        """
        header = {
            "format": FORMAT,
            "version": VERSION,
            "family": self.family,
            "base": self.base,
            "settings": dict(self.settings),
        }
        path = checked_path(path, StoreError, "path to save to")
        check_finite(path, self.deltas)
        tensor_file.save(path, self.deltas, header)

    @classmethod
    @unaffected()
    def load(cls, path: Path | str) -> Rewrite:
        """Read a rewrite.

        Args:
            path: The file, or the run folder that holds it.

        Raises:
            StoreError: If the file is missing, damaged, or holds something else.
            RewriteError: If its header does not say which generator it belongs to, its strength is
                not a number, or a delta is not of finite real numbers.
        """
        path = checked_path(path, StoreError, "rewrite", expected="the path of one")
        path = Path(path) / REWRITE_FILE if isdir(path) else path
        stored = tensor_file.load(path, format=FORMAT, version=VERSION)
        header = stored.header
        for key, kind in (("base", str), ("family", str), ("settings", dict)):
            if not isinstance(header.get(key), kind):
                raise RewriteError(
                    f"{path}: header", got=f"no {key}", expected="base, family and settings"
                )
        strength = header["settings"].get("strength", 1.0)
        if isinstance(strength, bool) or not isinstance(strength, int | float):
            raise RewriteError(
                f"{path}: header: settings.strength", got=repr(strength), expected="a number"
            )
        check_finite(path, stored.tensors)
        return cls(stored.tensors, header["base"], header["family"], header["settings"])


def checked_rewrite(rewrite: Rewrite) -> Rewrite:
    """The rewrite, if it is one. Raises RewriteError for the path of its file, or anything else."""
    if not isinstance(rewrite, Rewrite):
        raise RewriteError(
            "rewrite",
            got=type(rewrite).__name__,
            expected="an open rewrite",
            remedy="`regen.Rewrite.load` opens a file",
        )
    return rewrite


def compose(rewrites: Iterable[Rewrite]) -> Rewrite:
    """The sum of several rewrites of one generator.

    Raises:
        RewriteError: If there is none, something is none, they belong to different generators, or
            they change a weight of different shapes.
    """
    if not isinstance(rewrites, Iterable):
        raise RewriteError("compose", got=type(rewrites).__name__, expected="several rewrites")
    rewrites = [checked_rewrite(rewrite) for rewrite in rewrites]
    if not rewrites:
        raise RewriteError("compose", got="no rewrites", expected="at least one")
    first = rewrites[0]
    deltas: dict[str, Tensor] = {}
    for rewrite in rewrites:
        if rewrite.base != first.base:
            raise RewriteError(
                "rewrites of different generators cannot be composed",
                got=f"one of {named(first.base)} and one of {named(rewrite.base)}",
                expected="all of one generator",
                remedy="`regen info` says which one a rewrite belongs to",
            )
        for name, delta in rewrite.deltas.items():
            if name in deltas and deltas[name].shape != delta.shape:
                raise RewriteError(
                    f"rewrites of {name} cannot be composed",
                    got=f"shapes {list(deltas[name].shape)} and {list(delta.shape)}",
                    expected="equal shapes",
                )
            deltas[name] = deltas[name] + delta if name in deltas else delta
    return Rewrite(deltas, first.base, first.family, {"composed_of": len(rewrites)})


@contextmanager
def rewritten(generator: Generator, rewrite: Rewrite) -> Iterator[Generator]:
    """The generator with `rewrite` applied inside the block, and bit for bit as before after it.

    Raises:
        RewriteError: If the rewrite belongs to another generator.
    """
    originals = apply(generator, rewrite)
    try:
        yield generator
    finally:
        revert(generator, originals)


@torch.no_grad()
def apply(generator: Generator, rewrite: Rewrite) -> dict[str, Tensor]:
    """Change `generator` in place.

    Args:
        generator: Without a rewrite, as when the rewrite was made.
        rewrite: What to add.

    Returns:
        The original tensors, which `revert` puts back.

    Raises:
        RewriteError: If the rewrite belongs to another generator; nothing is changed then.
    """
    parameters = dict(checked_open(generator).named_parameters())
    checked_rewrite(rewrite)
    check_fits(generator, parameters, rewrite.base, rewrite.deltas)
    originals = {name: parameters[name].detach() for name in rewrite.deltas}
    try:
        for name, delta in rewrite.deltas.items():
            changed = originals[name].clone()  # twins share the memory of the original
            parameters[name].data = changed.add_(delta.to(changed))
    except BaseException:  # Ctrl-C too: all or nothing
        revert(generator, originals)
        raise
    return originals


@torch.no_grad()
def revert(generator: Generator, originals: Mapping[str, Tensor]) -> None:
    """Put back what `apply` returned; the generator's digest is what it was."""
    parameters = dict(generator.named_parameters())
    for name, tensor in originals.items():
        parameters[name].data = tensor.to(parameters[name])


def load_rewrites(rewrites: Sequence[tuple[Path, float]]) -> Rewrite | None:
    """The sum of rewrites with their strengths, or None where there are none.

    Args:
        rewrites: Paths of rewrite files, or of the run folders that hold one, and strengths.

    Raises:
        StoreError: If a file is missing, damaged, or not a rewrite.
        RewriteError: If they belong to different generators.
    """
    loaded = []
    for path, strength in rewrites:
        rewrite = Rewrite.load(path)
        loaded.append(rewrite if strength == 1 else rewrite.scaled(strength))
    return compose(loaded) if loaded else None

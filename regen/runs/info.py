"""Explain any file of regen's: what it is, what it belongs to, and what is in it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from os.path import isdir, isfile  # unlike those of Path, they take names that are too long
from pathlib import Path
from typing import Any

from torch import Tensor

from regen.edits.schema import read_edits
from regen.errors import RegenError, StoreError, UnpicklingError
from regen.files import tensor_file
from regen.files.json_text import JsonLimitError, parse_json
from regen.files.run_files import (
    BEFORE_AFTER_FILE,
    CHECKPOINT_FILE,
    GENERATOR_FILE,
    MEASURES_FILE,
    METRICS_FILE,
    NEIGHBOURS_FILE,
    PARTIAL_FILE,
    PREVIEW_FILE,
    PROJECTOR_FILE,
    REPORT_FILE,
    REWRITE_FILE,
    SAMPLES_FILE,
    SETTINGS_FILE,
)
from regen.generators import bundled
from regen.generators.protocol import Generator
from regen.generators.registry import (
    BUNDLED,
    family,
    generator_path,
    open_generator,
    read_checkpoint,
)
from regen.runs.use import use_of
from regen.unpickling import globals_of, sniff

Facts = dict[str, Any]

_RESULTS = (
    REWRITE_FILE,
    PARTIAL_FILE,
    GENERATOR_FILE,
    PROJECTOR_FILE,
    CHECKPOINT_FILE,
    REPORT_FILE,
    BEFORE_AFTER_FILE,
    PREVIEW_FILE,
    SAMPLES_FILE,
    NEIGHBOURS_FILE,
)
_OWN_ENTRIES = {"format", "version", "digest"}  # of a header, shown separately


def describe(name_or_path: str | Path, generator: str | None = None) -> Facts:
    """The content of a file or run folder of regen's, as JSON values.

    Args:
        name_or_path: The name of a bundled generator, which stands for its file; or the path of a
            generator, projector, rewrite or features file, an edits, metrics or settings file, the
            run folder of a command, or another tool's checkpoint.
        generator: Name or path of the generator that a rewrite is compared with; by default the
            bundled ones are tried.

    Returns:
        At least ``file`` and ``format``. Tensor files have ``tensors``, ``parameters`` (of a
        generator its own, without buffers and the discriminator beside it; of others all numbers),
        ``digest`` and the entries of their header; what belongs to a generator has ``belongs_to``,
        its name or None; rewrites have ``changes``, see `rewrite_changes`; run folders have
        ``results`` and, where there is something to use, ``use``, a command line; a training that
        says in its result how long it was has ``trained_kimg``, of a projector if time was up.
        Checkpoints of other tools have ``globals``, the classes and functions they name, and
        whether each is known; if they cannot be opened, ``cannot_be_opened`` says why.

    Raises:
        StoreError: If the file is missing, damaged, or not one of regen's.
        EditsError: If an edits file breaks its schema.
        GeneratorError: If `generator` cannot be opened, or a bundled one is not installed.
    """
    path = generator_path(name_or_path) if str(name_or_path) in BUNDLED else Path(name_or_path)
    if isdir(path):
        return _folder(path)
    if path.suffix.lower() == ".json":
        return _json(path)
    if _is_foreign(path):
        return _foreign(path)
    if path.suffix.lower() == ".onnx" and isfile(path):
        raise StoreError(
            f"{path} is named like a model of ONNX, which regen writes and does not read",
            remedy="open it with an ONNX runtime; `regen info` takes the generator it was made of",
        )
    return _tensors(path, generator)


def rewrite_changes(deltas: Mapping[str, Tensor], base: Mapping[str, Tensor] | None) -> list[Facts]:
    """How much a rewrite changes each tensor.

    Args:
        deltas: What it adds, by name.
        base: The generator's tensors, or None where it is not available.

    Returns:
        For each tensor ``name``, ``shape``, ``largest`` (absolute change of one weight) and
        ``relative``: norm of the change over norm of the tensor, None without a base or where the
        tensor is zero.
    """
    changes = []
    for name, delta in sorted(deltas.items()):
        delta = delta if delta.is_floating_point() or delta.is_complex() else delta.float()
        whole = base[name].float().norm().item() if base is not None and name in base else 0.0
        relative = delta.norm().item() / whole if whole > 0 else None
        largest = delta.abs().amax().item() if delta.numel() else 0.0
        shape = list(delta.shape)
        changes.append({"name": name, "shape": shape, "largest": largest, "relative": relative})
    return changes


def _folder(path: Path) -> Facts:
    facts: Facts = {"file": str(path), "format": "run folder"}
    facts["results"] = [name for name in _RESULTS if isfile(path / name)]
    facts["results"] += sorted(file.name for file in path.glob("*.features.safetensors"))
    for name in (METRICS_FILE, MEASURES_FILE, SETTINGS_FILE):
        if isfile(path / name):
            facts[Path(name).stem] = _read_json(path / name)
    if len(facts) == 3 and not facts["results"]:
        raise StoreError(
            f"{path} is a folder without the files that `regen info` explains",
            expected=f"{METRICS_FILE}, {SETTINGS_FILE} or {REWRITE_FILE} in it",
        )
    settings = facts.get("settings")
    facts |= _trained_for(path, facts["results"])
    use = use_of(path, settings if isinstance(settings, dict) else {})
    return facts if use is None else {**facts, "use": use}


def _trained_for(folder: Path, results: list[str]) -> Facts:
    """How long what is in a run folder was trained, where its file says so."""
    for file, entry in ((GENERATOR_FILE, "kimg"), (PROJECTOR_FILE, "stopped_after_kimg")):
        if file in results:
            with suppress(RegenError):
                kimg = tensor_file.read_header(folder / file).get(entry)
                return {} if kimg is None else {"trained_kimg": kimg}
    return {}


def _json(path: Path) -> Facts:
    content = _read_json(path) if isfile(path) else None
    if isinstance(content, dict) and "lpips" in content:
        format = "settings" if "said_by" in content else "metrics"
        return {"file": str(path), "format": format, **content}
    return {"file": str(path), "format": "edits", **read_edits(path).to_json()}


def _read_json(path: Path) -> Any:
    try:
        return parse_json(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror or error}") from error
    except JsonLimitError as error:
        raise StoreError(f"{path} cannot be shown: {error}") from error
    except ValueError:
        return None  # read_edits says where it breaks


def _tensors(path: Path, generator: str | None) -> Facts:
    stored = tensor_file.load(path)
    header, tensors = stored.header, stored.tensors
    facts: Facts = {
        "file": str(path),
        "format": header["format"],
        "version": header["version"],
        "bytes": path.stat().st_size,
        "tensors": len(tensors),
        "parameters": sum(tensor.numel() for tensor in tensors.values()),
        "dtypes": sorted({str(tensor.dtype).removeprefix("torch.") for tensor in tensors.values()}),
        "digest": header["digest"],
    }
    facts.update({n: v for n, v in header.items() if n not in _OWN_ENTRIES and n not in facts})
    if header["format"] == "generator":
        facts.update(_generator(open_generator(path)))
    elif header["format"] == "features":
        facts["shapes"] = {name: list(tensor.shape) for name, tensor in tensors.items()}
    if isinstance(header.get("base"), str):
        owner = generator or bundled.name_of(header["base"])
        name, base = _find_base(header["base"], owner)
        facts["belongs_to"] = name
        if header["format"] == "rewrite":
            known = None if base is None else base.state_dict()
            facts["changes"] = rewrite_changes(tensors, known)
    return facts


def _is_foreign(path: Path) -> bool:
    """Whether a file is a pickle, a file of torch's, or safetensors without regen's header."""
    try:
        format = sniff(path)
        return format in ("pickle", "torch") or (
            format == "safetensors" and not tensor_file.has_header(path)
        )
    except (UnpicklingError, StoreError):  # missing or damaged: the reader of regen's files says so
        return False


def _foreign(path: Path) -> Facts:
    """A file of another tool: what it names, and the generator in it if it can be opened."""
    form = sniff(path)
    named = [] if form == "safetensors" else globals_of(path)
    facts: Facts = {"file": str(path), "format": form, "bytes": path.stat().st_size}
    facts["globals"] = [{"name": name.name, "known": name.known} for name in named]
    try:
        checkpoint = read_checkpoint(path)
    except RegenError as error:
        return {**facts, "cannot_be_opened": str(error)}
    generator, discriminator = checkpoint.generator, checkpoint.discriminator
    return {
        **facts,
        "format": checkpoint.origin,
        "family": generator.family,
        **_generator(generator),
        "discriminator": (
            checkpoint.left_behind if discriminator is None else discriminator.header()
        ),
        "notes": list(checkpoint.notes),
    }


def _generator(generator: Generator) -> Facts:
    return {
        "parameters": sum(parameter.numel() for parameter in generator.parameters()),
        **family(generator.family).describe(generator),
        "image_size": list(generator.image_size),
        "convolutions": generator.convolutions,
        "digest": generator.digest(),
    }


def _find_base(digest: str, name: str | None) -> tuple[str | None, Generator | None]:
    """The generator of this name, if it has this digest; a bundled one may be missing."""
    if name is None:
        return None, None
    try:
        generator = open_generator(name)
    except RegenError:
        if name not in BUNDLED:
            raise
        return None, None
    return (name, generator) if generator.digest() == digest else (None, None)

"""What this machine has, what is missing, and how to get it.

Every check gives a status: *ok*, *warn* (something optional is missing or unusual) or *fail* (regen
cannot work); what was found; and a remedy, where there is one.
"""

from __future__ import annotations

import hashlib
import re
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import as_file, files
from pathlib import Path
from typing import Literal

import torch

import stylegan2_ops
from regen.errors import RegenError
from regen.files import tensor_file
from regen.files.tensor_header import Header
from regen.metrics import backbone_weights
from regen.precision import choose

Status = Literal["ok", "warn", "fail"]

OLDEST_PYTHON, OLDEST_TORCH = (3, 10), (2, 11)
OPTIONAL = (  # packages, and what each is for
    ("scikit-image", "the photograph in examples/eyes.json and in the editor's first steps"),
    ("tensorboard", "recording the curves of a run"),
    ("starlette", "the editor, `regen edit`"),
    ("uvicorn", "the editor, `regen edit`"),
    ("websockets", "the editor, `regen edit`"),
    ("onnx", "writing .onnx files with `regen convert`"),
    ("pillow-heif", "reading HEIC images"),
    ("torch-fidelity", "`regen train-generator --fid`"),
)
REINSTALL = "install regen again; its package is incomplete or damaged"


@dataclass(frozen=True)
class Check:
    """The result of one check.

    Attributes:
        name: What was checked.
        status: ok, warn or fail.
        detail: What was found.
        remedy: What to do about it; empty where there is nothing to do.
    """

    name: str
    status: Status
    detail: str
    remedy: str = ""


def diagnose() -> list[Check]:
    """Check everything that regen needs. Never raises for what it finds, never uses the network."""
    return [
        check_python(),
        check_torch(torch.__version__),
        *check_devices(),
        *check_precision(),
        check_operators("cpu", needed=True),
        check_operators("cuda", needed=torch.cuda.is_available()),
        *check_bundled(),
        *(check_lpips(backbone) for backbone in backbone_weights.BACKBONES),
        *(check_package(name, purpose, f"pip install {name}") for name, purpose in OPTIONAL),
    ]


def check_python(found: tuple[int, ...] = tuple(sys.version_info[:3])) -> Check:
    """Whether Python is new enough."""
    text = ".".join(map(str, found))
    if found >= OLDEST_PYTHON:
        return Check("python", "ok", text)
    return Check("python", "fail", f"{text} is too old", "install Python 3.10 or later")


def check_torch(found: str) -> Check:
    """Whether torch, of the version `found`, is new enough."""
    number = re.match(r"(\d+)\.(\d+)", found)
    if number and (int(number[1]), int(number[2])) >= OLDEST_TORCH:
        return Check("torch", "ok", found)
    return Check("torch", "fail", f"{found} is too old", "pip install --upgrade 'torch>=2.11'")


def check_devices() -> list[Check]:
    """Which values of --device will work."""
    cuda, mps = torch.cuda.is_available(), torch.backends.mps.is_available()
    return [
        Check("device cpu", "ok", f"{torch.get_num_threads()} threads"),
        Check("device cuda", "ok", torch.cuda.get_device_name() if cuda else "none"),
        Check("device mps", "ok", "present" if mps else "none"),
    ]


def check_precision() -> list[Check]:
    """What --precision auto means on each device that is here, and why."""
    here = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
    chosen = {device: choose(torch.device(device)) for device in here}
    return [
        Check(f"precision {device}", "ok", f"{choice.precision}: {choice.reason}")
        for device, choice in chosen.items()
    ]


def check_operators(device: str, needed: bool) -> Check:
    """Which implementation of StyleGAN2's operators runs on `device`, and why.

    Args:
        device: "cpu" or "cuda".
        needed: Whether compiled operators would be used; if not, their absence is not a warning.
    """
    name = f"operators {device}"
    try:
        found = stylegan2_ops.implementation(device=device)
    except (RuntimeError, ValueError) as error:  # STYLEGAN2_OPS asks for something that is missing
        detail, _, command = str(error).partition("; run ")
        other = "unset STYLEGAN2_OPS, or give it another value"
        return Check(name, "fail", detail, f"{command}; or {other}" if command else other)
    detail = f"{found.name}: {found.reason}"
    if found.remedy and needed:
        return Check(name, "warn", detail, found.remedy)
    return Check(name, "ok", detail)


def check_bundled(folder: Path | None = None) -> list[Check]:
    """Whether the bundled generators and projectors are intact and belong together.

    Args:
        folder: Where they are; by default in the package.
    """
    if folder is None:
        with as_file(files("regen") / "generators" / "bundled") as bundled:
            return check_bundled(bundled)
    names = sorted(path.name for path in folder.glob("*.safetensors"))
    if not names:
        return [Check("bundled files", "fail", f"none in {folder}", REINSTALL)]
    headers: dict[str, Header] = {}
    checks = [_read_into(headers, folder / name) for name in names]
    digests = {header.get("loaded_digest") for header in headers.values()}
    for name, header in headers.items():
        if "base" in header and header["base"] not in digests:
            detail = "belongs to a generator that is missing"
            checks.append(Check(f"bundled {name}", "fail", detail, REINSTALL))
    return checks


def check_lpips(backbone: str) -> Check:
    """Whether the weights that LPIPS needs with `backbone` are there and intact."""
    name, path = f"lpips {backbone}", backbone_weights.weights_path(backbone)
    if backbone not in backbone_weights.DOWNLOADS:
        return _check_shipped(name, path)
    if not path.is_file():
        detail = f"its weights are not in torch's cache (needed for --lpips {backbone})"
        return Check(name, "ok", detail, backbone_weights.remedy(backbone))
    published = path.stem.rsplit("-", 1)[1]
    found = _sha256(path)
    if found.startswith(published):
        return Check(name, "ok", str(path))
    detail = (
        f"{path} is not the published file (sha256 {found[:8]}...); metrics may differ slightly"
    )
    return Check(name, "warn", detail, f"delete it and {backbone_weights.remedy(backbone)}")


def _check_shipped(name: str, path: Path) -> Check:
    """Whether a backbone's file in the package is intact."""
    try:
        tensor_file.load(path, format=backbone_weights.FORMAT, version=backbone_weights.VERSION)
    except RegenError as error:
        return Check(name, "fail", str(error), REINSTALL)
    return Check(name, "ok", "in the package")


def check_package(package: str, purpose: str, remedy: str) -> Check:
    """Whether an optional package is installed."""
    try:
        return Check(package, "ok", version(package))
    except PackageNotFoundError:
        return Check(package, "warn", f"not installed; needed for {purpose}", remedy)


def _sha256(path: Path) -> str:
    state = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            state.update(piece)
    return state.hexdigest()


def _read_into(headers: dict[str, Header], path: Path) -> Check:
    """Read and verify one of regen's files; keep its header if that succeeds."""
    try:
        stored = tensor_file.load(path)
    except RegenError as error:
        return Check(f"bundled {path.name}", "fail", str(error), REINSTALL)
    # A generator's digest is that of its weights once loaded, in float32 whatever the file has.
    loaded = tensor_file.digest({name: tensor.float() for name, tensor in stored.tensors.items()})
    header = {**stored.header, "loaded_digest": loaded}
    headers[path.name] = header
    shown = loaded if header["format"] == "generator" else str(header["digest"])
    detail = f"{header['format']}, digest {shown[:12]} verified"
    return Check(f"bundled {path.name}", "ok", detail)

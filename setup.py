"""Brings the examples into the package, and the compiled operators into a wheel if asked to.

All else is in setup.cfg. A wheel made with STYLEGAN2_OPS_WHEEL=1 has compiled operators, for
machines without a compiler. It serves every Python and every torch that setup.cfg allows, since the
kernels use no Python and only the stable ABI of torch. `make wheel` builds it; that needs torch, so
it cannot be done in pip's isolated environments.
"""

from __future__ import annotations

import os
import platform
import shutil
import sys
from pathlib import Path

from setuptools import Distribution, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent
WITH_KERNELS = os.environ.get("STYLEGAN2_OPS_WHEEL") == "1"


class PackageWithKernels(build_py):
    """Adds the examples, and the libraries with what describes them, to the package."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return
        package = Path(self.build_lib, "regen")
        shutil.rmtree(package / "examples", ignore_errors=True)  # left by an earlier build
        for name in example_files():
            (package / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, package / name)
        shutil.copy(ROOT / "docs" / "edits.schema.json", package / "examples")
        folder = Path(self.build_lib, "stylegan2_ops", "lib")
        shutil.rmtree(folder, ignore_errors=True)  # left by an earlier build
        if WITH_KERNELS:
            bundle_kernels(folder)


class AnyPythonWheel(bdist_wheel):
    """Names the platform, but neither a version nor an ABI of Python."""

    def get_tag(self) -> tuple[str, str, str]:
        tag = super().get_tag()
        if not WITH_KERNELS:
            return tag
        return "py3", "none", tag[2].replace("universal2", platform.machine())


class PlatformDistribution(Distribution):
    """Depends on the platform where it has kernels."""

    def has_ext_modules(self) -> bool:
        return WITH_KERNELS or super().has_ext_modules()


def example_files() -> list[str]:
    """The files of the examples, as MANIFEST.in lists them, and no others that lie beside them."""
    lines = (ROOT / "MANIFEST.in").read_text(encoding="utf-8").splitlines()
    names = [line.removeprefix("include ") for line in lines]
    return [name for name in names if name.startswith("examples/")]


def bundle_kernels(folder: Path) -> None:
    """Put the CPU's library into `folder`, and CUDA's where it can be built."""
    sys.path.insert(0, str(ROOT))
    from stylegan2_ops import _cache
    from stylegan2_ops._build import build
    from stylegan2_ops._plan import plan
    from stylegan2_ops._toolchain import ToolMissingError

    _cache.bundle(build(plan("cpu", every_processor=True), say=print).record, folder)
    try:
        _cache.bundle(build(plan("cuda"), say=print).record, folder)
    except ToolMissingError as error:
        print(f"cuda: not in the wheel: {error}")


setup(
    cmdclass={"build_py": PackageWithKernels, "bdist_wheel": AnyPythonWheel},
    distclass=PlatformDistribution,
)

"""Brings the compiled operators into a wheel when STYLEGAN2_OPS_WHEEL=1; all else is in setup.cfg.

Such a wheel runs on machines without a compiler. It serves every Python and every torch that
setup.cfg allows, since the kernels use no Python and only the stable ABI of torch. `make wheel`
builds it; that needs torch, so it cannot be done in pip's isolated environments.
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

WITH_KERNELS = os.environ.get("STYLEGAN2_OPS_WHEEL") == "1"


class PackageWithKernels(build_py):
    """Adds the libraries, and what describes them, to the package."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return
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


def bundle_kernels(folder: Path) -> None:
    """Put the CPU's library into `folder`, and CUDA's where it can be built."""
    sys.path.insert(0, str(Path(__file__).parent))
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

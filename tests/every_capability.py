"""Test the compiled kernels as other processors run them.

    python -m tests.every_capability            # `make test-kernels`
    python -m tests.every_capability avx512     # one of them

The usual tests run the kernels of this processor's own capability, and these the others': older
ones as they are, and those that this processor lacks with vectors as long as theirs, which the
compiler takes apart into shorter ones.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from stylegan2_ops import _plan
from stylegan2_ops.__main__ import main as stylegan2_ops

_FOLDER = Path(__file__).parent / "stylegan2_ops"
_TESTED = (
    "bias_act",
    "compiled",
    "convolution",
    "gradients",
    "modulated_conv2d",
    "upfirdn2d",
    "upfirdn2d_bias_act",
)
_TAKEN_APART = {
    "avx2": ("-D__AVX__", "-Wno-psabi"),
    "avx512": (*_plan._AVX2, "-D__AVX512F__", "-Wno-psabi"),
}


def in_this_process(capability: str) -> int:
    """Compile the kernels of a capability into the cache, and test them; the exit code."""
    if not _plan.runs_here(capability):
        _plan._CAPABILITIES[capability] = _TAKEN_APART[capability]
    _plan.capability_here = lambda: capability
    built = stylegan2_ops(["build", "--cpu"])
    return built or pytest.main(["-q", *(str(_FOLDER / f"test_{name}.py") for name in _TESTED)])


def in_processes(capabilities: list[str]) -> int:
    """Do so for each, with an empty cache; 1 if one failed."""
    failed = []
    for capability in capabilities:
        print(f"{capability}:", flush=True)
        with tempfile.TemporaryDirectory() as cache:
            command = [sys.executable, "-m", "tests.every_capability", capability, "--here"]
            environment = {**os.environ, "STYLEGAN2_OPS_CACHE": cache}
            if subprocess.run(command, env=environment, check=False).returncode:
                failed.append(capability)
    print(f"failed: {', '.join(failed) or 'none'}")
    return int(bool(failed))


def main(arguments: list[str]) -> int:
    """Test what the arguments name, by default all but this processor's own."""
    if arguments[1:] == ["--here"]:
        return in_this_process(arguments[0])
    others = [name for name in _plan._CAPABILITIES if name != _plan.capability_here()]
    unknown = [name for name in arguments if name not in _plan._CAPABILITIES]
    if unknown:
        print(f"unknown: {unknown[0]}; known are {', '.join(_plan._CAPABILITIES)}", file=sys.stderr)
        return 2
    return in_processes(arguments or others)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

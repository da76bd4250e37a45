"""Compilers are found by asking them; here they are scripts that answer."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

from stylegan2_ops._toolchain import Compiler, ToolMissingError, find_cuda, find_cxx

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="scripts of a Unix shell")


def write_tool(folder: Path, name: str, script: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def write_nvcc(folder: Path, release: str, settings: str) -> Path:
    """An nvcc that lies in `folder` and says that its toolkit is elsewhere."""
    script = (
        'if [ "$1" = --version ]; then\n'
        '  echo "nvcc: NVIDIA (R) Cuda compiler driver"\n'
        f'  echo "Cuda compilation tools, release {release}, V{release}.88"\n'
        "else\n"
        f"  cat >&2 <<'EOF'\n#$ _SPACE_= \n{settings}\nEOF\n"
        "fi"
    )
    # The scripts call cat, which the PATH of these tests lacks.
    return write_tool(folder, "nvcc", f"PATH=/usr/bin:/bin\n{script}")


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on the PATH, empty."""
    folder = tmp_path / "tools"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    for name in ("CXX", "CUDA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(torch.version, "cuda", "13.2")
    return folder


def test_no_compiler_is_told_with_a_remedy(tools: Path) -> None:
    with pytest.raises(ToolMissingError, match="no C.. compiler found .*; install one, or name it"):
        find_cxx()


def test_a_compiler_is_one_that_answers(tools: Path) -> None:
    write_tool(tools, "c++", "exit 1")
    write_tool(tools, "g++", "echo g++ 12.2.0; echo and more")
    assert find_cxx() == Compiler(("g++",), "g++ 12.2.0")


def test_the_compiler_may_be_named_with_words_before_it(
    tools: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_tool(tools, "g++", "echo wrong")
    write_tool(tools, "ccache", 'echo "$1 17"')
    monkeypatch.setenv("CXX", "ccache clang++")
    assert find_cxx() == Compiler(("ccache", "clang++"), "clang++ 17")


def test_a_named_compiler_that_does_not_run_is_an_error_though_there_is_another(
    tools: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_tool(tools, "g++", "echo g++ 12.2.0")
    monkeypatch.setenv("CXX", "/no/such/clang++")
    with pytest.raises(ToolMissingError, match="CXX is '/no/such/clang"):
        find_cxx()


def test_the_toolkit_is_where_nvcc_says(tools: Path, tmp_path: Path) -> None:
    real = tmp_path / "opt" / "cuda-13.0"
    (real / "bin").mkdir(parents=True)
    write_nvcc(tools, "13.0", f"#$ _HERE_={real}/bin\n#$ TOP={real}/bin/..")
    toolkit = find_cuda()
    assert toolkit.folder == real and toolkit.release == "13.0"
    assert toolkit.nvcc == Compiler(("nvcc",), "Cuda compilation tools, release 13.0, V13.0.88")


def test_a_toolkit_is_found_without_top(tools: Path, tmp_path: Path) -> None:
    write_nvcc(tools, "13.1", f"#$ _HERE_={tmp_path}/cuda/bin")
    assert find_cuda().folder == tmp_path / "cuda"


def test_the_named_toolkit_comes_first(
    tools: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_nvcc(tools, "13.0", "#$ TOP=/wrong")
    write_nvcc(tmp_path / "mine" / "bin", "13.5", f"#$ TOP={tmp_path}/mine")
    monkeypatch.setenv("CUDA_HOME", str(tmp_path / "mine"))
    assert find_cuda().release == "13.5"


def test_another_major_version_of_cuda_is_refused(tools: Path) -> None:
    write_nvcc(tools, "12.8", "#$ TOP=/cuda")
    with pytest.raises(ToolMissingError, match="nvcc is of CUDA 12.8 and torch of CUDA 13.2"):
        find_cuda()


def test_no_nvcc_is_reported(tools: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ToolMissingError, match="no nvcc on the PATH.*install the CUDA toolkit 13"):
        find_cuda()
    monkeypatch.setenv("CUDA_HOME", "/no/such/folder")
    with pytest.raises(ToolMissingError, match=r"no nvcc at /no/such/folder/bin/nvcc \(CUDA_HOME"):
        find_cuda()


def test_a_torch_without_cuda_needs_no_nvcc(tools: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.version, "cuda", None)
    with pytest.raises(ToolMissingError, match="is built without CUDA"):
        find_cuda()


def test_an_nvcc_that_does_not_report_its_folder_is_refused(tools: Path) -> None:
    write_nvcc(tools, "13.0", "nothing of use")
    with pytest.raises(ToolMissingError, match="does not report where its toolkit is"):
        find_cuda()

"""The commands ``python -m stylegan2_ops build`` and ``info``: what they print and return."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from stylegan2_ops import Implementation, __main__, _cache, _library
from stylegan2_ops.__main__ import main
from stylegan2_ops._library import Library, Missing
from stylegan2_ops._plan import Plan
from stylegan2_ops._toolchain import BuildError, ToolMissingError


@pytest.fixture(autouse=True)
def loaded(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process in which the library of each device is /cache/DEVICE.so."""

    def load(device: str) -> Library | Missing:
        return Library(Path(f"/cache/{device}.so"), _cache.Record(*[""] * 6), "avx2")

    monkeypatch.setattr(_library, "load", load)


def set_plans(monkeypatch: pytest.MonkeyPatch, **plans: Plan | BuildError) -> None:
    def plan(device: str, every_processor: bool) -> Plan:
        found = plans[device]
        if isinstance(found, BuildError):
            raise found
        return found

    monkeypatch.setattr(__main__, "plan", plan)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)


def test_the_cpu_library_is_built_and_cuda_left_out_with_a_reason(
    tiny_plan: Plan, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    set_plans(monkeypatch, cpu=tiny_plan, cuda=ToolMissingError("no nvcc on the PATH"))
    assert main(["build"]) == 0
    out, err = capsys.readouterr()
    lines = out.splitlines()
    compiler = tiny_plan.compiler.version
    assert lines[0] == f"cpu: compiling {len(tiny_plan.units)} files with {compiler}"
    assert lines[1].startswith("cpu: built in ")
    assert lines[1].endswith(" s; avx2 kernels of /cache/cpu.so")
    assert lines[2:] == ["cuda: not built: no nvcc on the PATH"] and err == ""
    assert main(["build", "--cpu"]) == 0
    again = "cpu: was built already; avx2 kernels of /cache/cpu.so\n"
    assert capsys.readouterr() == (again, "")


def test_without_a_gpu_its_kernels_are_compiled_only_if_asked_for(
    tiny_plan: Plan, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    set_plans(monkeypatch, cpu=tiny_plan, cuda=ToolMissingError("nvcc was looked for"))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert main(["build"]) == 0
    first = capsys.readouterr().out.splitlines()[0]
    assert first.startswith("cuda: not built: there is no GPU here (--cuda ")
    assert main(["build", "--all"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "cuda: not built: nvcc was looked for"


def test_commands_are_printed_if_wanted(
    tiny_plan: Plan, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    set_plans(monkeypatch, cpu=tiny_plan)
    assert main(["build", "--cpu", "--verbose"]) == 0
    assert capsys.readouterr().out.count("-DCAPABILITY=") == 1


def test_no_compiler_is_one_clear_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    set_plans(monkeypatch, cpu=ToolMissingError("no C++ compiler found; install one"))
    assert main(["build"]) == 1
    message = "cpu: plain torch operators will run, slower: no C++ compiler found; install one\n"
    assert capsys.readouterr() == ("", message)


def test_cuda_that_was_asked_for_must_be_built(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    set_plans(monkeypatch, cuda=ToolMissingError("no nvcc"))
    assert main(["build", "--cuda"]) == 1
    assert capsys.readouterr().err == "cuda: plain torch operators will run, slower: no nvcc\n"


def test_a_library_that_was_built_but_cannot_be_loaded_is_a_failure(
    tiny_plan: Plan, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    set_plans(monkeypatch, cpu=tiny_plan)
    monkeypatch.setattr(_library, "load", lambda device: Missing("x.so cannot be loaded", "again"))
    assert main(["build"]) == 1
    assert capsys.readouterr().err.endswith("slower: x.so cannot be loaded; run again\n")


def test_info_names_what_runs_and_what_could_be_built(
    cache: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def implementation(device: str) -> Implementation:
        remedy = "build" if device == "cpu" else ""
        return Implementation("reference", f"plain torch, none for {device}", remedy)

    def missing() -> None:
        raise ToolMissingError("nothing here")

    monkeypatch.setattr(__main__, "implementation", implementation)
    monkeypatch.setattr(__main__, "find_cxx", missing)
    monkeypatch.setattr(__main__, "find_cuda", missing)
    assert main(["info"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"torch     {torch.__version__}",
        "cpu       reference: plain torch, none for cpu",
        "          -> build",
        "cuda      reference: plain torch, none for cuda",
        "compiler  none: nothing here",
        "nvcc      none: nothing here",
        f"cache     {cache}",
    ]


@pytest.mark.parametrize(
    "arguments", [[], ["built"], ["build", "--cpu", "--cuda"], ["build", "--all", "--cpu"]]
)
def test_misspelt_commands_exit_with_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        main(arguments)
    assert left.value.code == 2
    assert capsys.readouterr().err.startswith("usage: python -m stylegan2_ops")

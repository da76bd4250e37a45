"""What is compiled, with which flags, and when a library no longer fits."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from stylegan2_ops import _cache, _plan
from stylegan2_ops._plan import Plan, sources_digest
from stylegan2_ops._toolchain import BuildError, Compiler, Toolkit

GCC = Compiler(("g++",), "g++ 12.2.0")
NVCC = Toolkit(Compiler(("nvcc",), "V13.0.88"), Path("/cuda"), "13.0")


@pytest.fixture
def cpu_plan(tiny_sources: Path) -> Plan:
    return Plan("cpu", tiny_sources, GCC, ())


@pytest.mark.parametrize("changed", ["schema.cpp", "cpu/numbers.h", "cpu/new.h", "arguments.h"])
def test_the_name_of_a_library_changes_with_its_sources(cpu_plan: Plan, changed: str) -> None:
    before = cpu_plan.record_name
    assert cpu_plan.record_name == before
    with (cpu_plan.sources / changed).open("a") as file:
        file.write("// changed\n")
    assert cpu_plan.record_name != before


def test_the_sources_of_another_device_do_not_matter(cpu_plan: Plan) -> None:
    before = cpu_plan.record_name
    (cpu_plan.sources / "cuda").mkdir()
    (cpu_plan.sources / "cuda" / "kernel.cu").write_text("")
    assert cpu_plan.record_name == before


def test_moving_text_from_one_file_to_the_next_changes_the_digest(tiny_sources: Path) -> None:
    names = [tiny_sources / "cpu" / name for name in ("kernel.cpp", "numbers.h")]
    before = sources_digest("cpu", tiny_sources)
    first, second = (path.read_text() for path in names)
    names[0].write_text(first + second)
    names[1].write_text("")
    assert sources_digest("cpu", tiny_sources) != before


def test_the_name_changes_with_the_flags(cpu_plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    before = cpu_plan.record_name
    monkeypatch.setattr(_plan, "_KERNEL", ("-O1", "-fPIC"))
    assert cpu_plan.record_name != before


def test_the_name_changes_with_torch(cpu_plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    before = cpu_plan.record_name
    monkeypatch.setattr(_cache, "torch_release", lambda: "2.99")
    assert "torch2.99" in cpu_plan.record_name and "torch2.99" not in before
    monkeypatch.undo()
    monkeypatch.setattr(torch, "compiled_with_cxx11_abi", lambda: "another")
    assert cpu_plan.record_name != before


def test_the_name_changes_with_the_compiler_and_the_machine(
    cpu_plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = cpu_plan.record_name
    assert replace(cpu_plan, compiler=Compiler(("g++",), "g++ 13.1.0")).record_name != before
    monkeypatch.setattr(_cache, "machine", lambda: "linux-riscv64")
    assert cpu_plan.record_name.startswith("cpu-linux-riscv64-")


def test_the_name_changes_with_the_gpus_but_stays_findable(tiny_sources: Path) -> None:
    one = Plan("cuda", tiny_sources, NVCC.nvcc, (), NVCC, ("8.0",))
    two = replace(one, architectures=("8.0", "9.0+PTX"))
    assert one.record_name != two.record_name
    start = _cache.prefix("cuda", sources_digest("cuda", tiny_sources))
    assert one.record_name.startswith(start) and two.record_name.startswith(start)


@pytest.mark.parametrize(
    ("version", "release"), [("2.11.1+cu130", "2.11"), ("2.12.0a0+git1", "2.12"), ("3.0", "3.0")]
)
def test_patches_of_torch_do_not_matter(version: str, release: str) -> None:
    assert _cache.torch_release(version) == release


def test_every_kernel_is_compiled_for_the_baseline_first(tiny_sources: Path) -> None:
    units = _plan.plan("cpu", tiny_sources, every_processor=True).units
    assert [unit.source for unit in units[:2]] == ["schema.cpp", "cpu/register.cpp"]
    assert not any(flag.startswith("-DCAPABILITY") for unit in units[:2] for flag in unit.flags)
    capabilities = [unit.object.split(".")[1] for unit in units[2:]]
    assert capabilities[0] == "baseline"
    assert not any(flag.startswith("-m") for flag in units[2].flags)
    assert capabilities == list(_plan._CAPABILITIES)
    assert len({unit.object for unit in units}) == len(units)


@pytest.mark.parametrize("detected", ["AVX2", "AVX512", "DEFAULT", "SVE256"])
def test_by_default_only_this_processor_is_compiled_for(
    detected: str, tiny_sources: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: detected)
    here = detected.lower() if detected.lower() in _plan._CAPABILITIES else "baseline"
    one, every = (
        _plan.plan("cpu", tiny_sources, every_processor=all_of_them)
        for all_of_them in (False, True)
    )
    assert one.architectures == (here,) and len(one.units) == 3
    assert all(f"-DSTYLEGAN2_OPS_ONLY={here}" in unit.flags for unit in one.units[:2])
    assert one.sources_digest == every.sources_digest and one.record_name != every.record_name
    expected = list(_plan._CAPABILITIES)[: list(_plan._CAPABILITIES).index(here) + 1]
    assert [name for name in _plan._CAPABILITIES if _plan.runs_here(name)] == expected
    assert not _plan.runs_here("unheard of")


@pytest.mark.parametrize(
    ("listed", "names", "last_flag"),
    [
        (None, ("8.0", "9.0+PTX"), "-gencode=arch=compute_90,code=compute_90"),
        ("7.5", ("7.5",), "-gencode=arch=compute_75,code=sm_75"),
        ("8.6; 9.0a", ("8.6", "9.0a"), "-gencode=arch=compute_90a,code=sm_90a"),
        ("12.0+PTX 8.0", ("12.0+PTX", "8.0"), "-gencode=arch=compute_80,code=sm_80"),
    ],
)
def test_gpus_are_those_listed(
    listed: str | None,
    names: tuple[str, ...],
    last_flag: str,
    tiny_sources: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.delenv("TORCH_CUDA_ARCH_LIST", raising=False)
    if listed:
        monkeypatch.setenv("TORCH_CUDA_ARCH_LIST", listed)
    assert _plan._architectures() == names
    (tiny_sources / "cuda").mkdir()
    (tiny_sources / "cuda" / "kernel.cu").write_text("")
    (unit,) = _plan._cuda_units(tiny_sources, names)
    assert unit.source == "cuda/kernel.cu" and unit.flags[-1] == last_flag


def test_an_older_gpu_of_this_machine_is_added(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TORCH_CUDA_ARCH_LIST", raising=False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda: (7, 5))
    assert _plan._architectures() == ("7.5", "8.0", "9.0+PTX")


def test_a_list_of_gpus_that_cannot_be_read_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_CUDA_ARCH_LIST", "Hopper")
    with pytest.raises(BuildError, match="is 'Hopper'; it lists numbers such as '8.0;9.0.PTX'"):
        _plan._architectures()

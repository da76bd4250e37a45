"""Which library is loaded, and what is said where none can be. Nothing may crash.

The libraries are built from tiny sources, which declare no operators; so torch is not told of any.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch

from stylegan2_ops import _cache, _library
from stylegan2_ops._build import build
from stylegan2_ops._library import Library, Missing
from stylegan2_ops._plan import Plan


@pytest.fixture(autouse=True)
def fresh(
    cache: Path, tiny_sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> list[bool]:
    """A process that has loaded nothing, for the tiny sources; the list grows at registration."""
    registered: list[bool] = []
    digest = _library.sources_digest
    monkeypatch.setattr(_library, "_loaded", {})
    monkeypatch.setattr(_library._compiled, "register", lambda: registered.append(True))
    monkeypatch.setattr(_library, "sources_digest", lambda device: digest(device, tiny_sources))
    monkeypatch.setattr(_cache, "PACKAGED", tmp_path / "package" / "lib")
    return registered


def give_to(monkeypatch: pytest.MonkeyPatch, user: int, theirs: Path) -> None:
    """Let a path belong to another user, as far as can be seen."""
    stat = os.stat

    def fake(path: object, *args: object, **kwargs: object) -> os.stat_result:
        found = stat(path, *args, **kwargs)  # type: ignore[call-overload]
        if str(path) != str(theirs):
            return found  # type: ignore[no-any-return]
        return os.stat_result([user if i == 4 else value for i, value in enumerate(found)])

    monkeypatch.setattr(os, "stat", fake)


def why(found: Library | Missing) -> str:
    assert isinstance(found, Missing), found
    return found.why


def test_nothing_built_is_told_with_the_remedy() -> None:
    expected = Missing("no kernels have been built for cpu", "python -m stylegan2_ops build")
    assert _library.load("cpu") == expected


def test_a_library_is_loaded_once(tiny_plan: Plan, fresh: list[bool]) -> None:
    build(tiny_plan)
    library = _library.load("cpu")
    assert isinstance(library, Library)
    assert library.runs_on == "tiny" and library.path.is_file()
    assert _library.load("cpu") is library and fresh == [True]


def test_the_package_comes_before_the_cache(tiny_plan: Plan) -> None:
    _cache.bundle(build(tiny_plan).record, _cache.PACKAGED)
    library = _library.load("cpu")
    assert isinstance(library, Library) and library.path.parent == _cache.PACKAGED


def test_a_damaged_library_is_passed_over(tiny_plan: Plan) -> None:
    _cache.bundle(build(tiny_plan).record, _cache.PACKAGED)
    (packaged,) = _cache.PACKAGED.glob("*.so")
    packaged.write_bytes(packaged.read_bytes()[:1000])
    library = _library.load("cpu")
    assert isinstance(library, Library) and library.path.parent == _cache.folder()


def test_of_two_that_fit_the_one_asked_for_last_is_used(tiny_plan: Plan) -> None:
    first = build(tiny_plan).record
    older = first.with_name(first.stem[:-2] + "zz.json")
    older.write_bytes(first.read_bytes())
    for when, path in enumerate([first, older]):
        os.utime(path, (when, when))
    assert list(_library._candidates("cpu", first.parent)) == [older, first]
    build(tiny_plan)
    assert next(_library._candidates("cpu", first.parent)) == first


@pytest.mark.parametrize("mode", [0o777, 0o775, 0o757])
def test_a_folder_that_others_can_write_to_is_not_used(tiny_plan: Plan, mode: int) -> None:
    folder = build(tiny_plan).record.parent
    folder.chmod(mode)
    assert _library.load("cpu") == Missing(
        f"{folder} can be written to by other users, so it is not used", f"chmod go-w '{folder}'"
    )


@pytest.mark.parametrize("which", ["record", "library"])
@pytest.mark.parametrize("mode", [0o666, 0o664, 0o646])
def test_a_file_that_others_can_write_to_is_not_used_and_built_again(
    tiny_plan: Plan, which: str, mode: int
) -> None:
    path = record = build(tiny_plan).record
    if which == "library":
        path = record.parent / _cache.read_record(record).library
    path.chmod(mode)
    assert (
        why(_library.load("cpu")) == f"{path} can be written to by other users, so it is not used"
    )
    assert build(tiny_plan).fresh


@pytest.mark.parametrize("which", ["record", "library", "folder", "above"])
def test_what_belongs_to_another_user_is_not_used(
    tiny_plan: Plan, which: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = build(tiny_plan).record
    library = record.parent / _cache.read_record(record).library
    places = {"record": record, "library": library, "folder": record.parent}
    theirs = places.get(which, record.parent.parent)
    give_to(monkeypatch, 4321, theirs)
    expected = f"{theirs} belongs to user 4321, not to you, so it is not used"
    assert _library.load("cpu") == Missing(expected, "")
    assert not _cache.is_whole(record)


def test_a_link_to_a_folder_of_another_user_is_not_used(
    tiny_plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = build(tiny_plan).record.parent
    (tmp_path / "link").symlink_to(folder)
    monkeypatch.setenv("STYLEGAN2_OPS_CACHE", str(tmp_path / "link"))
    give_to(monkeypatch, 4321, folder)
    assert why(_library.load("cpu")).startswith(f"{folder} belongs to user 4321")


def test_nothing_is_loaded_that_is_not_trusted(
    tiny_plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[str] = []
    monkeypatch.setattr(torch.ops, "load_library", loaded.append)
    folder = build(tiny_plan).record.parent
    folder.chmod(0o777)
    assert isinstance(_library.load("cpu"), Missing) and loaded == []


@pytest.mark.parametrize("variable", ["STYLEGAN2_OPS_CACHE", "XDG_CACHE_HOME", "HOME"])
def test_a_cache_in_the_current_folder_is_not_used(
    tiny_plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    build(tiny_plan)
    for name in ("STYLEGAN2_OPS_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(variable, "cache")
    assert why(_library.load("cpu")).startswith(f"{variable} gives 'cache")


def test_a_truncated_library_is_reported(tiny_plan: Plan) -> None:
    record = build(tiny_plan).record
    library = record.parent / _cache.read_record(record).library
    library.write_bytes(library.read_bytes()[:4096])
    expected = Missing(f"{library} is damaged", "python -m stylegan2_ops build --cpu --force")
    assert _library.load("cpu") == expected


def test_what_is_not_a_library_is_reported(tiny_plan: Plan) -> None:
    path = build(tiny_plan).record
    library = path.parent / _cache.read_record(path).library
    library.write_text("text")
    record = replace(_cache.read_record(path), sha256=_cache.file_sha256(library))
    path.write_text(json.dumps(asdict(record)))
    assert why(_library.load("cpu")).startswith(f"{library} cannot be loaded (")


def test_a_library_of_something_else_is_reported(tiny_plan: Plan, fresh: list[bool]) -> None:
    register = tiny_plan.sources / "cpu" / "register.cpp"
    register.write_text("int nothing;\n")
    build(tiny_plan)
    assert "cannot be loaded (" in why(_library.load("cpu"))
    assert "stylegan2_ops_cpu_capability" in why(_library.load("cpu")) and fresh == []


def test_a_record_that_cannot_be_read_is_reported(tiny_plan: Plan) -> None:
    path = build(tiny_plan).record
    path.write_text("{")
    assert why(_library.load("cpu")).startswith(f"{path} cannot be read (")


def test_changed_sources_are_reported(tiny_plan: Plan) -> None:
    build(tiny_plan)
    (tiny_plan.sources / "schema.cpp").write_text("int changed;\n")
    assert why(_library.load("cpu")) == "the kernels for cpu were built from other sources"


def test_another_torch_is_reported(tiny_plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    build(tiny_plan)
    ours = _cache.torch_release()
    monkeypatch.setattr(_cache, "torch_release", lambda: "9.8")
    expected = f"the kernels for cpu were built for torch {ours}, and this is 9.8"
    assert why(_library.load("cpu")) == expected


def test_a_library_for_better_processors_is_not_loaded(
    tiny_plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = build(tiny_plan).record
    better = replace(_cache.read_record(record), architectures=("avx512",))
    record.write_text(json.dumps(asdict(better)))
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "DEFAULT")
    assert _library.load("cpu") == Missing(
        "the kernels for cpu are compiled for processors with avx512, and this one is of the kind "
        "baseline",
        "python -m stylegan2_ops build --cpu --force",
    )


def test_windows_is_not_sent_to_a_command_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_library.sys, "platform", "win32")
    assert _library.load("cpu") == Missing("the kernels cannot be built on Windows yet", "")


def test_devices_without_kernels_have_no_remedy() -> None:
    assert _library.load("mps") == Missing("there are no kernels for mps", "")


def test_cuda_needs_a_torch_with_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.version, "cuda", None)
    found = _library.load("cuda")
    assert why(found).endswith("is built without CUDA") and found == Missing(why(found), "")


def test_cuda_needs_what_the_cpu_library_declares(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.version, "cuda", "13.2")
    expected = "no kernels have been built for cpu, which declare the operators"
    assert why(_library.load("cuda")) == expected


@pytest.mark.parametrize(
    ("cuda", "gpu", "expected"),
    [
        ("13.2", None, ""),
        ("12.8", None, "the kernels for cuda are of CUDA 13.0, torch is of CUDA 12.8"),
        ("13.2", (8, 6), ""),
        ("13.2", (9, 0), ""),
        ("13.2", (12, 1), ""),  # compiled by the driver, from PTX
        (
            "13.2",
            (7, 5),
            "the kernels for cuda are compiled for 8.0, 9.0+PTX, and this GPU is 7.5 "
            "(set TORCH_CUDA_ARCH_LIST)",
        ),
    ],
)
def test_a_library_for_gpus_must_fit_cuda_and_the_gpu(
    cuda: str, gpu: tuple[int, int] | None, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = _cache.Record("cuda", "x.so", "", "", "", "", "13.0", ("8.0", "9.0+PTX"))
    monkeypatch.setattr(torch.version, "cuda", cuda)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpu is not None)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: gpu)
    assert _library._unfit(record) == expected


def test_machine_code_runs_on_its_own_generation_only() -> None:
    assert _library._covers("8.0", (8, 9)) and not _library._covers("8.6", (8, 0))
    assert not _library._covers("9.0a", (10, 0)) and _library._covers("9.0+PTX", (10, 0))

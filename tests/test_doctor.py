"""What the doctor reports about machines that have everything, and about those that do not."""

from __future__ import annotations

import configparser
import re
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest
import torch

from regen import doctor
from regen.doctor import Check
from regen.files import tensor_file
from regen.metrics import backbone_weights
from stylegan2_ops import Implementation


def save_pair(folder: Path, base: str | None = None) -> None:
    header = {"version": 1, "family": "stylegan2"}
    weights = torch.ones(2)  # a generator's digest is taken in float32, its file may be half
    tensor_file.save(
        folder / "g.safetensors", {"w": weights.half()}, {**header, "format": "generator"}
    )
    tensor_file.save(
        folder / "p.safetensors",
        {"w": torch.zeros(2)},
        {**header, "format": "projector", "base": base or tensor_file.digest({"w": weights})},
    )


def test_everything_is_checked_without_a_network(empty_torch_home: Path) -> None:
    checks = doctor.diagnose()
    names = [check.name for check in checks]
    for device in ("cpu", "cuda"):
        assert names.count(f"device {device}") == names.count(f"operators {device}") == 1, device
    assert names.count("precision cpu") == 1
    for name in ("python", "torch", "tensorboard"):
        assert names.count(name) == 1, name
    assert {f"lpips {backbone}" for backbone in backbone_weights.BACKBONES} <= set(names)
    assert all(check.status in ("ok", "warn", "fail") and check.detail for check in checks)
    assert all(check.remedy for check in checks if check.status != "ok")


def test_an_old_python_is_a_failure() -> None:
    assert doctor.check_python((3, 12, 1)) == Check("python", "ok", "3.12.1")
    assert doctor.check_python((3, 9, 18)) == Check(
        "python", "fail", "3.9.18 is too old", "install Python 3.10 or later"
    )


@pytest.mark.parametrize("found", ["2.11.0", "2.13.1+cu130", "3.0", "2.12.0a0+git1234"])
def test_a_new_torch_is_fine(found: str) -> None:
    assert doctor.check_torch(found) == Check("torch", "ok", found)


@pytest.mark.parametrize("found", ["2.9.1", "1.13.1+cpu", "unknown"])
def test_an_old_torch_is_a_failure(found: str) -> None:
    assert doctor.check_torch(found) == Check(
        "torch", "fail", f"{found} is too old", "pip install --upgrade 'torch>=2.11'"
    )


def test_it_says_what_is_computed_in_and_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    for flag, name in (("avx512_bf16", "bf16"), ("avx2", "fp32")):
        found = {flag: True}
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda found=found: found, raising=False)
        (check,) = doctor.check_precision()
        assert check.name == "precision cpu" and check.status == "ok"
        assert check.detail.startswith(f"{name}: this processor has ")


def test_the_operators_are_named_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    there = Implementation("compiled", "avx2 kernels of /cache/x.so")
    monkeypatch.setattr(doctor.stylegan2_ops, "implementation", lambda device: there)
    assert doctor.check_operators("cpu", needed=True) == Check(
        "operators cpu", "ok", "compiled: avx2 kernels of /cache/x.so"
    )


def test_missing_kernels_are_a_warning_where_they_would_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    missing = Implementation("reference", "plain torch operators, none built", "build them")
    monkeypatch.setattr(doctor.stylegan2_ops, "implementation", lambda device: missing)
    detail = "reference: plain torch operators, none built"
    assert doctor.check_operators("cuda", needed=True) == Check(
        "operators cuda", "warn", detail, "build them"
    )
    assert doctor.check_operators("cuda", needed=False) == Check("operators cuda", "ok", detail)


def test_operators_that_were_asked_for_in_vain_are_a_failure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(device: str) -> Implementation:
        command = "; run make" if device == "cpu" else ""
        raise RuntimeError(f"compiled as set by STYLEGAN2_OPS, but none for {device}{command}")

    monkeypatch.setattr(doctor.stylegan2_ops, "implementation", refuse)
    check = doctor.check_operators("cuda", needed=False)
    assert check.status == "fail" and check.detail.endswith("none for cuda")
    assert check.remedy.startswith("unset STYLEGAN2_OPS")
    check = doctor.check_operators("cpu", needed=True)
    assert check.detail.endswith("none for cpu")
    assert check.remedy.startswith("make; or unset STYLEGAN2_OPS")


def test_bundled_files_are_verified(tmp_path: Path) -> None:
    save_pair(tmp_path)
    checks = doctor.check_bundled(tmp_path)
    assert [(check.name, check.status) for check in checks] == [
        ("bundled g.safetensors", "ok"),
        ("bundled p.safetensors", "ok"),
    ]
    assert checks[0].detail.startswith("generator, digest ")


def test_a_projector_of_another_generator_is_a_failure(tmp_path: Path) -> None:
    save_pair(tmp_path, base="0" * 64)
    assert doctor.check_bundled(tmp_path)[-1] == Check(
        "bundled p.safetensors",
        "fail",
        "belongs to a generator that is missing",
        doctor.REINSTALL,
    )


def test_a_truncated_file_is_a_failure(tmp_path: Path) -> None:
    save_pair(tmp_path)
    path = tmp_path / "g.safetensors"
    path.write_bytes(path.read_bytes()[:-4])
    check = doctor.check_bundled(tmp_path)[0]
    assert (check.status, check.remedy) == ("fail", doctor.REINSTALL)
    assert str(path) in check.detail


def test_missing_bundled_files_are_a_failure(tmp_path: Path) -> None:
    assert doctor.check_bundled(tmp_path) == [
        Check("bundled files", "fail", f"none in {tmp_path}", doctor.REINSTALL)
    ]


def test_the_weights_of_the_package_are_there(empty_torch_home: Path) -> None:
    assert doctor.check_lpips("squeeze") == Check("lpips squeeze", "ok", "in the package")


def test_damaged_weights_of_the_package_are_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "squeeze.safetensors"
    path.write_bytes(backbone_weights.BUNDLED.read_bytes()[:-4])
    monkeypatch.setattr(backbone_weights, "BUNDLED", path)
    check = doctor.check_lpips("squeeze")
    assert (check.status, check.remedy) == ("fail", doctor.REINSTALL)
    assert str(path) in check.detail


@pytest.mark.parametrize("backbone", ["alex", "vgg"])
def test_missing_weights_come_with_address_and_folder(
    backbone: str, empty_torch_home: Path
) -> None:
    check = doctor.check_lpips(backbone)
    folder = empty_torch_home / "hub" / "checkpoints"
    name = backbone_weights.DOWNLOADS[backbone]
    assert check.status == "ok"
    assert check.detail == f"its weights are not in torch's cache (needed for --lpips {backbone})"
    assert check.remedy == (
        f"download https://download.pytorch.org/models/{name} to {folder} "
        "(TORCH_HOME moves that folder)"
    )


def test_weights_that_are_not_the_published_ones_are_reported(empty_torch_home: Path) -> None:
    path = backbone_weights.weights_path("vgg")
    path.parent.mkdir(parents=True)
    path.write_bytes(b"others")
    check = doctor.check_lpips("vgg")
    assert check.status == "warn" and "is not the published file (sha256 " in check.detail
    assert check.remedy.startswith("delete it and download https://")


def test_the_published_weights_are_fine(
    empty_torch_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = backbone_weights.weights_path("alex")
    path.parent.mkdir(parents=True)
    path.write_bytes(b"weights")
    monkeypatch.setattr(doctor, "_sha256", lambda _: "7be5be79" + 56 * "0")
    assert doctor.check_lpips("alex") == Check("lpips alex", "ok", str(path))


def test_every_optional_package_is_checked(
    monkeypatch: pytest.MonkeyPatch, empty_torch_home: Path
) -> None:
    setup = configparser.ConfigParser()
    setup.read(Path(__file__).parents[1] / "setup.cfg")
    extras = setup["options.extras_require"]
    lines = [
        line for extra in extras if extra not in ("dev", "docs") for line in extras[extra].split()
    ]
    named = {re.split("[<>=]", line)[0] for line in lines}
    assert named <= {name for name, _ in doctor.OPTIONAL}

    def missing(name: str) -> str:
        raise PackageNotFoundError

    monkeypatch.setattr(doctor, "version", missing)
    checks = {check.name: check for check in doctor.diagnose()}
    for name, purpose in doctor.OPTIONAL:
        detail, remedy = f"not installed; needed for {purpose}", f"pip install {name}"
        assert checks[name] == Check(name, "warn", detail, remedy)
    eyes = Path(__file__).parents[1] / "examples" / "eyes.json"
    assert (
        "skimage:" in eyes.read_text()
        and "examples/eyes.json" in dict(doctor.OPTIONAL)["scikit-image"]
    )


def test_an_optional_package_may_be_missing() -> None:
    assert doctor.check_package("pytest", "x", "y").detail == pytest.__version__
    assert doctor.check_package("no-such-package", "nothing", "pip install it") == Check(
        "no-such-package", "warn", "not installed; needed for nothing", "pip install it"
    )


def test_a_digest_is_that_of_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "abc").write_bytes(b"abc")
    assert doctor._sha256(tmp_path / "abc").startswith("ba7816bf8f01cfea414140de5dae2223")

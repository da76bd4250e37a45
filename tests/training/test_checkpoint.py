from __future__ import annotations

import errno
import os
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
import torch

from regen.errors import StoreError, TrainingError
from regen.files.run_files import CHECKPOINT_FILE
from regen.training.checkpoint import (
    AnotherTrainingError,
    identity,
    kept,
    read_checkpoint,
    refuse_checkpoint,
    write_checkpoint,
)
from regen.training.state_digest import state_digest


@dataclass(frozen=True)
class Settings:
    lr: float = 0.002
    report_every_kimg: float = 1.0


MAY_DIFFER = {"report_every_kimg"}
WHO = identity(Settings(), MAY_DIFFER, base="abc")


def test_a_state_comes_back_as_it_was(tmp_path: Path) -> None:
    state = {"weights": {"a": torch.randn(3)}, "done": 4}
    write_checkpoint(tmp_path, WHO, state)
    back = read_checkpoint(tmp_path, WHO)
    assert back["done"] == 4 and torch.equal(back["weights"]["a"], state["weights"]["a"])  # type: ignore[index]
    assert [path.name for path in tmp_path.iterdir()] == [CHECKPOINT_FILE]


def test_how_often_to_report_and_save_may_change(tmp_path: Path) -> None:
    write_checkpoint(tmp_path, WHO, {"done": 1})
    often = identity(Settings(report_every_kimg=9), MAY_DIFFER, base="abc")
    assert read_checkpoint(tmp_path, often) == {"done": 1}


def test_another_setting_is_named(tmp_path: Path) -> None:
    write_checkpoint(tmp_path, WHO, {"done": 1})
    other = identity(replace(Settings(), lr=0.5), MAY_DIFFER, base="abc")
    message = r"cannot resume .*checkpoint.pt: lr: got 0.5, expected 0.002, as when it started"
    with pytest.raises(AnotherTrainingError, match=message) as caught:
        read_checkpoint(tmp_path, other)
    assert caught.value.name == "lr"


def test_another_generator_is_named(tmp_path: Path) -> None:
    write_checkpoint(tmp_path, WHO, {"done": 1})
    with pytest.raises(TrainingError, match="base: got xyz, expected abc, as when"):
        read_checkpoint(tmp_path, identity(Settings(), MAY_DIFFER, base="xyz"))


def test_no_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no checkpoint to resume; start without resuming"):
        read_checkpoint(tmp_path, WHO)


def test_a_bit_that_flipped_is_not_resumed(tmp_path: Path) -> None:
    state = {"weights": torch.randn(64), "half": torch.ones(5, dtype=torch.bfloat16), "done": 3}
    write_checkpoint(tmp_path, WHO, {**state, "betas": (0.0, 0.99), "more": [None, b"x", {1: "y"}]})
    path, expected = tmp_path / CHECKPOINT_FILE, read_checkpoint(tmp_path, WHO)
    whole, random = path.read_bytes(), Random(0)
    outcomes = {"refused": 0, "harmless": 0}
    for _ in range(300):
        bit = random.randrange(8 * len(whole))
        flipped = bytearray(whole)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        try:
            got = read_checkpoint(tmp_path, WHO)
        except TrainingError:
            outcomes["refused"] += 1
        else:  # in the padding, or in fields of the archive that nobody reads
            assert state_digest(got) == state_digest(expected), f"bit {bit} was not noticed"
            outcomes["harmless"] += 1
    assert outcomes["refused"] > 30


def test_a_flipped_weight_is_named_as_damage(tmp_path: Path) -> None:
    write_checkpoint(tmp_path, WHO, {"weights": torch.full((100,), 7.0)})
    path = tmp_path / CHECKPOINT_FILE
    whole = path.read_bytes()
    weight = torch.tensor(7.0).numpy().tobytes()
    path.write_bytes(whole.replace(weight, torch.tensor(7.5).numpy().tobytes(), 1))
    message = r"checkpoint.pt is damaged \(it does not hold what was saved\); delete it and start"
    with pytest.raises(TrainingError, match=message):
        read_checkpoint(tmp_path, WHO)


def test_a_checkpoint_of_an_earlier_version_has_no_digest(tmp_path: Path) -> None:
    torch.save({"identity": WHO, "state": {"done": 5}}, tmp_path / CHECKPOINT_FILE)
    assert read_checkpoint(tmp_path, WHO) == {"done": 5}


def test_a_torch_file_of_something_else_is_no_checkpoint(tmp_path: Path) -> None:
    torch.save({"identity": WHO, "state": {}, "diges": "0"}, tmp_path / CHECKPOINT_FILE)
    with pytest.raises(TrainingError, match=r"is damaged \(it holds something else\)"):
        read_checkpoint(tmp_path, WHO)


@pytest.mark.parametrize("damage", ["truncated", "text", "empty"])
def test_a_damaged_checkpoint(tmp_path: Path, damage: str) -> None:
    write_checkpoint(tmp_path, WHO, {"weights": torch.randn(100)})
    path = tmp_path / CHECKPOINT_FILE
    whole = path.read_bytes()
    path.write_bytes({"truncated": whole[:-300], "text": b"hello", "empty": b""}[damage])
    with pytest.raises(TrainingError, match=r"checkpoint.pt is damaged \(.*\); delete it"):
        read_checkpoint(tmp_path, WHO)


def test_code_in_a_checkpoint_is_not_run(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple:  # type: ignore[type-arg]
            return (exec, (f"open({str(tmp_path / 'ran')!r}, 'w')",))

    torch.save({"identity": WHO, "state": Evil()}, tmp_path / CHECKPOINT_FILE)
    with pytest.raises(TrainingError, match="is damaged"):
        read_checkpoint(tmp_path, WHO)
    assert not (tmp_path / "ran").exists()


def test_a_disk_that_is_full_leaves_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_checkpoint(tmp_path, WHO, {"done": 1})

    class Full:  # torch's writer turns the error into "unexpected pos 64 vs 0" of its own
        def write(self, data: object) -> int:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    path_opens = Path.open

    def opens(path: Path, *args: Any, **options: Any) -> Any:
        ours = path.is_relative_to(tmp_path)  # a thread that watches the load reads elsewhere
        return nullcontext(Full()) if ours else path_opens(path, *args, **options)

    monkeypatch.setattr(Path, "open", opens)
    with pytest.raises(StoreError, match="cannot write .*: No space left on device; free some sp"):
        write_checkpoint(tmp_path, WHO, {"done": 2, "weights": torch.zeros(10_000)})
    monkeypatch.undo()
    assert read_checkpoint(tmp_path, WHO) == {"done": 1}
    assert [path.name for path in tmp_path.iterdir()] == [CHECKPOINT_FILE]


def test_a_new_training_does_not_overwrite(tmp_path: Path) -> None:
    refuse_checkpoint(tmp_path)
    write_checkpoint(tmp_path, WHO, {})
    with pytest.raises(TrainingError, match="holds an earlier training; resume it"):
        refuse_checkpoint(tmp_path)


def test_finished_results_are_not_overwritten(tmp_path: Path) -> None:
    refuse_checkpoint(tmp_path, "generator.safetensors")
    (tmp_path / "generator.safetensors").touch()
    with pytest.raises(TrainingError, match=r"generator.safetensors is there already; move it"):
        refuse_checkpoint(tmp_path, "generator.safetensors")


def test_what_is_kept_is_said(tmp_path: Path) -> None:
    assert kept(tmp_path, 9) == ""
    write_checkpoint(tmp_path, WHO, {"done": 4})
    path = tmp_path / CHECKPOINT_FILE
    assert (
        kept(tmp_path, 9) == f"4 of 9 steps are in {path}; --resume with the same options continues"
    )


def test_of_large_values_only_the_difference_is_shown(tmp_path: Path) -> None:
    architecture = {"z_dim": 8, "w_dim": 8}
    write_checkpoint(tmp_path, {"base": "0123456789abcdef", "a": architecture, "from": ""}, {})
    for change, message in (
        (
            {"base": "f123456789abcdef"},
            "base: got f123456789ab..., expected 0123456789ab..., as",
        ),
        (
            {"a": {"z_dim": 8, "w_dim": 4}},
            r"a: got \{'w_dim': 4\}, expected \{'w_dim': 8\}, as",
        ),
        ({"from": "x"}, "from: got x, expected none, as when"),
    ):
        who = {"base": "0123456789abcdef", "a": architecture, "from": "", **change}
        with pytest.raises(TrainingError, match=message):
            read_checkpoint(tmp_path, who)

"""Kill `regen` at random instants, resume or run it again, and compare the results byte for byte.

    python -m tests.kill_trials --trials 100 --seed 0            # `make kill-trials`
    python -m tests.kill_trials --trials 6 --at events bytes     # what the tests run

Every trial starts a command in a process of its own and ends it without warning: after so many
*seconds*, at the nth of its *events* (files opened, renamed and removed, steps counted), or when a
file has got so many *bytes*. The last two are the same on every machine. One trial in four is
killed a second time on its way on. Then the command is run again, with --resume where it has left a
checkpoint. Somebody works at the editor while it runs, and goes on with it when it runs again. A
trial is *lost* if that does not succeed, or if the editor does not show what it has shown before.
It *differs* if results are not those of a run that nobody killed, or something is left that is no
result: a temporary file, a lock, a second file of events, a part of a rule.

Processes are forked, so that torch is imported once. The parent computes nothing.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from regen.cli import main as regen
from regen.runs.progress import Progress
from tests.helpers.editor_hand import NOTES
from tests.helpers.killed import COMMANDS, Command, make_world, unwanted

KINDS = ("seconds", "events", "bytes")
_EVENTS = {"open", "os.rename", "os.remove", "os.mkdir", "os.truncate"}  # of Python's auditing
_HANGING_SECONDS = 600


@dataclass
class Row:
    """What became of the trials of one command."""

    trials: int = 0
    kills: int = 0
    resumed: int = 0
    rerun: int = 0
    lost: list[str] = field(default_factory=list)
    differing: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Reference:
    """A run that nobody killed.

    Attributes:
        files: Its results, by name.
        seconds: How long it took.
        events: How many it had.
        largest: Bytes of its largest file.
    """

    files: dict[str, bytes]
    seconds: float
    events: int
    largest: int


def fork(work: Callable[[], int]) -> int:
    """Do something in a process of its own; its number."""
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            code = work()
        finally:
            os._exit(code)
    return child


def in_child(
    work: Callable[[], int],
    *,
    kill_after: float | None = None,
    beside: Callable[[int], None] | None = None,
) -> int:
    """Do something in a forked process; its exit code, or minus the signal that ended it.

    Args:
        work: Gives the exit code.
        kill_after: Seconds.
        beside: Called with the number of the process, in another one that ends with it.
    """
    end = time.monotonic() + (_HANGING_SECONDS if kill_after is None else kill_after)
    child = fork(work)
    other = None if beside is None else fork(lambda: beside(child) or 0)
    try:
        while True:
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                return os.waitstatus_to_exitcode(status)
            if time.monotonic() >= end:
                os.kill(child, signal.SIGKILL)
                return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            time.sleep(0.002)
    finally:
        if other is not None:
            os.kill(other, signal.SIGKILL)
            os.waitpid(other, 0)


def run_regen(folder: Path, words: Sequence[str], log: Path) -> int:
    """Run a command in this process, which is a child, with its messages in a file."""
    os.environ["REGEN_PROGRESS"] = "off"
    os.chdir(folder)
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    os.dup2(file, 1)
    os.dup2(file, 2)
    sys.argv = ["regen", *words]
    try:
        regen(list(words), standalone_mode=True)
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


def run(
    world: Path,
    command: Command,
    log: Path,
    *,
    prepare: Callable[[], object] = lambda: None,
    kill_after: float | None = None,
) -> int:
    """Begin a command, or go on with it, in a child; how that ended, see `in_child`.

    Args:
        world: Folder that it works in; its results are in out.
        command: The command.
        log: File for its messages, which is emptied first.
        prepare: Called in the child before.
        kill_after: Seconds.
    """
    log.write_text("")
    words, beside = command.line(world / "out"), command.beside

    def work() -> int:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        prepare()
        return run_regen(world, words, log)

    user = None if beside is None else partial(beside, world, log)
    return in_child(work, kill_after=kill_after, beside=user)


def count_events(folder: Path, on_event: Callable[[int], object]) -> None:
    """Call back with the number of each event in a folder, until this process ends."""
    count, place = 0, os.fspath(folder)

    def note() -> None:
        nonlocal count
        count += 1
        on_event(count)

    def audit(event: str, arguments: tuple[object, ...]) -> None:
        if event in _EVENTS and isinstance(arguments[0], (str, bytes, os.PathLike)):
            path = os.fsdecode(arguments[0])
            if path.startswith((place, "out")):
                note()

    advance = Progress.advance

    def advance_and_note(self: Progress, steps: int = 1, note_behind: str = "") -> None:
        note()
        advance(self, steps, note_behind)

    sys.addaudithook(audit)
    Progress.advance = advance_and_note  # type: ignore[method-assign]


def die() -> None:
    """End this process without warning."""
    os.kill(os.getpid(), signal.SIGKILL)


def clear(world: Path) -> None:
    """Remove what a run has left."""
    shutil.rmtree(world / "out", ignore_errors=True)
    (world / NOTES).unlink(missing_ok=True)


def measure(world: Path, command: Command, log: Path) -> Reference:
    """Run a command twice without killing it: for its results, and to count its events."""
    counted = world.parent / "counted"

    def count() -> None:
        file = os.open(counted, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        count_events(world, lambda number: os.write(file, b"."))

    taken = []
    for prepare in (count, lambda: None):
        clear(world)
        start = time.monotonic()
        if run(world, command, log, prepare=prepare) != command.code:
            raise SystemExit(f"the command fails without being killed:\n{log.read_text()}")
        taken.append(time.monotonic() - start)
    out = world / "out"
    largest = max(path.stat().st_size for path in out.rglob("*") if path.is_file())
    return Reference(command.results(out), taken[-1], counted.stat().st_size, largest)


def kill_once(
    world: Path,
    command: Command,
    reference: Reference,
    kind: str,
    draw: random.Random,
    log: Path,
) -> tuple[bool, str]:
    """Start a command and kill it; whether that came in time, and when it was, in words."""
    if kind == "seconds":
        seconds = draw.uniform(0, reference.seconds)
        code = run(world, command, log, kill_after=seconds)
        return code == -signal.SIGKILL, f"after {seconds:.3f} s"
    if kind == "events":
        number = draw.randint(1, reference.events)

        def until_event() -> None:
            count_events(world, lambda n: die() if n == number else None)

        code = run(world, command, log, prepare=until_event)
        return code == -signal.SIGKILL, f"at event {number}"
    size = draw.randrange(reference.largest)

    def until_bytes() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)  # which ends the process in the write
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    code = run(world, command, log, prepare=until_bytes)
    return code == -signal.SIGXFSZ, f"at byte {size}"


def trial(
    world: Path, name: str, reference: Reference, kind: str, draw: random.Random, row: Row
) -> None:
    """Kill a command, run it again, and enter what became of it."""
    out, log, command = world / "out", world.parent / "log", COMMANDS[name]
    row.trials += 1
    told = []
    while not told:
        clear(world)
        in_time, when = kill_once(world, command, reference, kind, draw, log)
        told += [when] if in_time else []  # a run that was faster is no trial
    goes_on = command.goes_on(out)
    if draw.random() < 0.25:
        in_time, when = kill_once(world, command, reference, kind, draw, log)
        told += [f"then {when}"] if in_time else []
        goes_on = command.goes_on(out) if in_time else goes_on
    row.kills += len(told)
    if in_time and run(world, command, log) != command.code:
        row.lost.append(f"{', '.join(told)}: {log.read_text()}")
        return
    row.resumed += goes_on
    row.rerun += not goes_on
    found = command.results(out)
    wrong = [n for n in {**reference.files, **found} if found.get(n) != reference.files.get(n)]
    wrong += unwanted(out)
    if wrong:
        row.differing.append(f"{', '.join(told)}: {', '.join(wrong)}")


def import_everything() -> None:
    """Import what the commands import when they run, so that no trial waits for it."""
    import torch.utils.tensorboard  # noqa: F401
    import uvicorn  # noqa: F401
    import websockets.sync.client  # noqa: F401

    import regen.editor.engine
    import regen.editor.run
    import regen.editor.server
    import regen.generators.stylegan2.training.train
    import regen.metrics
    import regen.runs.rewrite.run
    import regen.runs.train_generator.run
    import regen.runs.train_projector  # noqa: F401


def run_trials(
    trials: int, seed: int, kinds: Sequence[str], names: Sequence[str]
) -> dict[str, Row]:
    """Kill each of some commands in turn, so many times in all."""
    draw, rows = random.Random(seed), {name: Row() for name in names}
    folder = Path(tempfile.mkdtemp(prefix="regen-kill-trials-"))
    import_everything()
    try:
        os.environ["REGEN_CACHE"] = str(folder / "cache")
        os.environ["TORCH_HOME"] = str(folder / "torch_home")
        world = folder / "world"
        world.mkdir()
        if in_child(lambda: make_world(world) or 0) != 0:
            raise SystemExit("the world cannot be made")
        references = {n: measure(world, COMMANDS[n], folder / "log") for n in names}
        for number in range(trials):
            name = names[number % len(names)]
            kind = kinds[number // len(names) % len(kinds)]
            trial(world, name, references[name], kind, draw, rows[name])
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return rows


def table(rows: dict[str, Row]) -> str:
    """The rows as text, and what went wrong below them."""
    head = ("command", "trials", "kills", "resumed", "run again", "lost", "differing")
    lines = [head] + [
        (name, r.trials, r.kills, r.resumed, r.rerun, len(r.lost), len(r.differing))
        for name, r in rows.items()
    ]
    total = Counter[int]()
    for line in lines[1:]:
        total.update({i: int(value) for i, value in enumerate(line[1:], 1)})
    lines.append(("all", *(total[i] for i in range(1, len(head)))))
    shown = ["  ".join(f"{value!s:>15}" for value in line) for line in lines]
    for name, row in rows.items():
        shown += [f"lost: {name} {what}" for what in row.lost]
        shown += [f"differing: {name} {what}" for what in row.differing]
    return "\n".join(shown)


def main() -> int:
    """Run trials as the command line says; the exit code is 1 if one was lost or differs."""
    parser = argparse.ArgumentParser(description="Kill regen at random instants.")
    parser.add_argument("--trials", type=int, default=100, metavar="N")
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    parser.add_argument("--at", nargs="+", choices=KINDS, default=list(KINDS), metavar="KIND")
    parser.add_argument("--commands", nargs="+", choices=list(COMMANDS), default=list(COMMANDS))
    given = parser.parse_args()
    start = time.monotonic()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the commands' messages are not looked at
        rows = run_trials(given.trials, given.seed, given.at, given.commands)
    print(table(rows))
    print(f"{given.trials} trials in {time.monotonic() - start:.0f} s, seed {given.seed}")
    return int(any(row.lost or row.differing for row in rows.values()))


if __name__ == "__main__":
    sys.exit(main())

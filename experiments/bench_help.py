"""Time the help of every command, each in a process of its own.

    python -m experiments.bench_help

`tests/cli/test_help.py` asserts what makes it fast: that neither torch nor numpy is imported.
"""

from __future__ import annotations

import subprocess
import sys
import time

from regen.cli import main as regen

_RUNS = 5
_LIMIT_SECONDS = 0.5  # on two idle cores


def seconds(words: list[str]) -> float:
    """How long the fastest of five processes takes to print a help."""
    taken = []
    for _ in range(_RUNS):
        began = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "regen", *words, "--help"], stdout=subprocess.DEVNULL, check=True
        )
        taken.append(time.perf_counter() - began)
    return min(taken)


def main() -> None:
    """Print a line for each command."""
    print(f"seconds to print the help, best of {_RUNS}; wanted: below {_LIMIT_SECONDS}")
    for words in ([], *([name] for name in regen.commands)):
        print(f"{seconds(words):6.3f}  {' '.join(['regen', *words, '--help'])}")


if __name__ == "__main__":
    main()

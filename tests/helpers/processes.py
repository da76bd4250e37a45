"""What a fresh process does, and limits of subprocesses, which are no measure of speed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable

HANGING_SECONDS = 1800  # after which a subprocess is taken for one that will never end


def imported_by(code: str, names: Iterable[str]) -> set[str]:
    """Which of some modules are imported once a fresh Python has run `code` without an error."""
    asked = f"import json, sys; print(json.dumps([n for n in {[*names]} if n in sys.modules]))"
    command = [sys.executable, "-c", f"{code}\n{asked}\n"]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return set(json.loads(result.stdout.splitlines()[-1]))

"""`python -m regen` is the command `regen`."""

from __future__ import annotations

from regen.cli import main

if __name__ == "__main__":
    main(prog_name="regen")

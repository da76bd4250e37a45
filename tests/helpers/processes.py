"""Limits of subprocesses, which are no measure of speed."""

from __future__ import annotations

HANGING_SECONDS = 1800  # after which a subprocess is taken for one that will never end

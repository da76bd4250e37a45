"""The names of the files in a run folder: of those who write them, and of those who look for them.

Nothing is imported here, so that a command can ask for a name without importing what writes it.
"""

from __future__ import annotations

SETTINGS_FILE = "settings.json"
EDITS_FILE = "edits.json"
METRICS_FILE = "metrics.json"  # of a rewrite, and of projected images
MEASURES_FILE = "measures.json"  # of a generator's training

REWRITE_FILE = "rewrite.safetensors"
PARTIAL_FILE = "rewrite.partial.safetensors"  # of a fit that was stopped
GENERATOR_FILE = "generator.safetensors"
PROJECTOR_FILE = "projector.safetensors"
CHECKPOINT_FILE = "checkpoint.pt"  # of a training

REPORT_FILE = "report.html"
BEFORE_AFTER_FILE = "before_after.png"
PREVIEW_FILE = "preview.png"
SAMPLES_FILE = "samples.png"
NEIGHBOURS_FILE = "neighbours.png"

"""The front door: everything that `regen` does, on tensors and values.

No function here needs a folder, prints, or reads the command line. The command line, the tables
and the reports call these functions, or what these call.

Example:
    >>> generator = open_generator("portraits")
    >>> generate(generator, seeds=[1, 2]).shape
    torch.Size([2, 3, 128, 128])
"""

from __future__ import annotations

from regen.api.generators import generate, open_projector, project, sample
from regen.api.pictures import (
    exemplar_image,
    load_image,
    load_mask,
    save_image,
    sheet,
    to_pil,
)
from regen.api.rewriting import evaluate, preview, rewrite
from regen.edits.schema import Edits, edits_of, read_edits
from regen.errors import RegenError
from regen.evaluation.evaluate import Evaluation
from regen.generators.protocol import Generator, Sample
from regen.generators.registry import open_generator
from regen.generators.saving import save_generator
from regen.images import Brought, bring
from regen.images.regions import Region
from regen.projector.files import Projector
from regen.projector.project import Projection
from regen.projector.refine import RefineSettings
from regen.rewriting.cautions import Caution
from regen.rewriting.exemplars import Exemplar, load_exemplars
from regen.rewriting.learn import Learned, learn, learned_before
from regen.rewriting.presets import preset
from regen.rewriting.preview import ExemplarPreview, Preview
from regen.rewriting.rewrite import Rewrite, compose, rewritten
from regen.rewriting.settings import FitSettings, RewriteSettings, RuleSettings
from regen.rewriting.task import Task
from regen.rewriting.workbench import View, Workbench

__all__ = [
    "Brought",
    "Caution",
    "Edits",
    "Evaluation",
    "Exemplar",
    "ExemplarPreview",
    "FitSettings",
    "Generator",
    "Learned",
    "Preview",
    "Projection",
    "Projector",
    "RefineSettings",
    "RegenError",
    "Region",
    "Rewrite",
    "RewriteSettings",
    "RuleSettings",
    "Sample",
    "Task",
    "View",
    "Workbench",
    "bring",
    "compose",
    "edits_of",
    "evaluate",
    "exemplar_image",
    "generate",
    "learn",
    "learned_before",
    "load_exemplars",
    "load_image",
    "load_mask",
    "open_generator",
    "open_projector",
    "preset",
    "preview",
    "project",
    "read_edits",
    "rewrite",
    "rewritten",
    "sample",
    "save_generator",
    "save_image",
    "sheet",
    "to_pil",
]

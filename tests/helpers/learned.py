"""A rewrite that changes nothing, as if it had been learned."""

from __future__ import annotations

import torch

from regen.rewriting.learn import Learned, prepare
from regen.rewriting.rewrite import Rewrite
from regen.rewriting.task import Task


def nothing_learned(task: Task) -> Learned:
    """What a fit without any effect would return for a task."""
    names = {task.split.full_name(name): p for name, p in task.split.memory.named_parameters()}
    deltas = {name: torch.zeros_like(parameter) for name, parameter in names.items()}
    rewrite = Rewrite(deltas, task.generator.digest(), task.generator.family)
    prepared = prepare(task)
    return Learned(rewrite, prepared.rule, prepared.matcher)

"""The rule of edits that are being made: of a target that did not change it is not made again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

from regen.edits.schema import Edits
from regen.rewriting.rule import Rule, build_rule, stack_rules
from regen.rewriting.settings import RuleSettings
from regen.rewriting.task import Task

# Edits of one target as text; value layer and number of layers of the memory; what else decides.
_Target = tuple[str, int, int, RuleSettings, bool]


class RuleCache:
    """Keeps the rule of each target of the last task, which are those of one generator."""

    def __init__(self) -> None:
        self._rules: dict[_Target, Rule] = {}

    def rule(self, task: Task) -> Rule:
        """What `build_rule` makes of a task; its errors are the same."""
        settings, split = task.settings.rule, task.split
        examples, made, keys = list(task.examples), dict[_Target, Rule](), list[_Target]()
        for alone in _each_target(task.edits):
            holes = len(alone.edits[0].targets[0].sample.grow)
            own, examples = examples[:holes], examples[holes:]
            layers = split.value_layer, split.memory_layers
            key = written(alone), *layers, settings, task.has_values
            keys.append(key)
            made[key] = self._rules.get(key) or build_rule(
                split, task.projector, own, settings, values=task.has_values
            )
        self._rules = made
        return stack_rules([made[key] for key in keys])


def written(edits: Edits) -> str:
    """What edits are known by: equal ones, with equal masks, are written alike."""
    return json.dumps(edits.to_json())


def _each_target(edits: Edits) -> Iterator[Edits]:
    """Edits of one target each."""
    for edit in edits.edits:
        for target in edit.targets:
            yield replace(edits, edits=(replace(edit, targets=(target,)),))

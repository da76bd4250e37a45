"""Settings of `regen rewrite`, with the paper's choices and the measured best."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from regen.errors import RewriteError
from regen.rewriting.edits import Edits
from regen.rewriting.memory import FitConfig
from regen.rewriting.rule import RuleConfig

Preset = Literal["default", "paper"]


@dataclass(frozen=True)
class RewriteSettings:
    """Everything that decides a rewrite beside the edits file.

    Attributes:
        rule: How exemplar and targets become a rule.
        fit: How the memory is fitted.
        memory_layers: How many convolutions the memory has, where the edits file does not say.
        measured_seeds: Unseen seeds that the result is measured on, at least 1.
        lpips: Backbone of LPIPS: squeeze, alex or vgg.
    """

    rule: RuleConfig = field(default_factory=RuleConfig)
    fit: FitConfig = field(default_factory=FitConfig)
    memory_layers: int = 3
    measured_seeds: int = 64
    lpips: str = "squeeze"

    def __post_init__(self) -> None:
        for name in ("measured_seeds", "memory_layers"):
            if getattr(self, name) < 1:
                raise RewriteError(name, got=getattr(self, name), expected="1 or more")

    def with_edits(self, edits: Edits) -> RewriteSettings:
        """These settings with what an edits file says about weights, alignment and feather."""
        rule = replace(self.rule, align=edits.align, scale=edits.scale)
        if edits.feather is not None:
            rule = replace(rule, feather_px=edits.feather)
        fit = replace(self.fit, weight_new=edits.weights.new, weight_old=edits.weights.old)
        return replace(self, rule=rule, fit=fit)


def preset(name: Preset) -> RewriteSettings:
    """Settings by name.

    "paper" is Re-Generator as published: B's features replace the value, recall is measured on
    values only, and nothing but the targets' own surroundings is preserved. "default" is what
    measured best on the portraits.
    """
    if name == "default":
        return RewriteSettings()
    return RewriteSettings(
        rule=RuleConfig(feather_px=0.0),
        fit=FitConfig(
            recall="value", preserve=0, where_similar=False, border=0.0, precision="fp32"
        ),
        memory_layers=2,
    )

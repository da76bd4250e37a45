"""What is being edited: a painting and a stack of rules. Every change makes a new document.

The history is a list of documents, so undo and redo bring back everything alike: strokes, targets,
strengths, the order of rules, and rules that were removed or learned anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from regen.editor.messages import MessageError, checked_number
from regen.editor.painting import Json, Painting
from regen.editor.stored import painting_of

_STRONGEST = 10.0  # that a session's file may hold
_LONGEST = 500  # documents that a history keeps


@dataclass(frozen=True)
class Rule:
    """A rule that was learned. Its files are kept under its key, see `regen.editor.kept`.

    Attributes:
        key: Its name inside the session; never used for another rule.
        name: To display.
        painting: What it was learned from.
        strength: From -1 to 1.5; 1 is as learned.
        on: Whether it is applied.
        kind: "draft" or "full".
        stopped_after: Steps after which it was stopped, or None.
    """

    key: str
    name: str
    painting: Painting
    strength: float = 1.0
    on: bool = True
    kind: str = "draft"
    stopped_after: int | None = None

    def to_json(self) -> Json:
        """As the session's file has it."""
        return {**vars(self), "painting": self.painting.to_json()}


@dataclass(frozen=True)
class Document:
    """A painting and the rules so far.

    Attributes:
        painting: What the next rule is learned from.
        rules: In the order in which they are added up.
    """

    painting: Painting
    rules: tuple[Rule, ...] = ()

    def rule(self, key: object) -> Rule:
        """The rule of a key. Raises MessageError if there is none."""
        for rule in self.rules:
            if rule.key == key:
                return rule
        known = ", ".join(rule.key for rule in self.rules) or "no rule yet"
        raise MessageError("rule", got=str(key)[:40], expected=known)

    def with_rule(self, changed: Rule) -> Document:
        """With a rule in place of the one of its key."""
        rules = [changed if rule.key == changed.key else rule for rule in self.rules]
        return replace(self, rules=tuple(rules))

    def learned(self, rule: Rule) -> Document:
        """With a new rule, in place of the one that was learned from the same painting if any."""
        same = [i for i, r in enumerate(self.rules) if r.painting.key == rule.painting.key]
        if not same:
            return replace(self, rules=(*self.rules, rule))
        old = self.rules[same[0]]
        rule = replace(rule, name=old.name, strength=old.strength, on=old.on)
        rules = list(self.rules)
        rules[same[0]] = rule
        return replace(self, rules=tuple(rules))

    @property
    def applied(self) -> tuple[tuple[str, float], ...]:
        """Keys and strengths of the rules that are on."""
        return tuple((rule.key, rule.strength) for rule in self.rules if rule.on)

    def to_json(self) -> Json:
        """As the session's file has it; `document_of` reads it back."""
        rules = [rule.to_json() for rule in self.rules]
        return {"painting": self.painting.to_json(), "rules": rules}


def document_of(content: Mapping[str, Any]) -> Document:
    """What `Document.to_json` wrote.

    Raises:
        MessageError: If a rule's key is no name of a folder, or its strength no number; and what
            `painting_of` raises.
    """
    rules = [_rule_of(one) for one in content["rules"]]
    return Document(painting_of(content["painting"]), tuple(rules))


def _rule_of(content: Mapping[str, Any]) -> Rule:
    rule = Rule(**{**content, "painting": painting_of(content["painting"])})
    if not (isinstance(rule.key, str) and rule.key.isascii() and rule.key.isalnum()):
        raise MessageError("rule", got=str(rule.key)[:40], expected="letters and digits")
    checked_number(rule.strength, "strength", -_STRONGEST, _STRONGEST)
    return rule


@dataclass
class History:
    """Documents, one of which is shown.

    Attributes:
        documents: From the first to the last.
        at: Which one is shown.
        merging: What the last change was of; another one of the same replaces it, so that a slider
            that is dragged is undone at once.
    """

    documents: list[Document] = field(default_factory=list)
    at: int = -1
    merging: str = ""

    @property
    def document(self) -> Document:
        """The one that is shown."""
        return self.documents[self.at]

    def push(self, document: Document, merging: str = "") -> None:
        """Show a new document; those that were undone are gone.

        Args:
            document: The new one.
            merging: A word for changes that are undone together, or "".
        """
        if merging and merging == self.merging and self.at > 0:
            self.at -= 1
        self.documents = [*self.documents[: self.at + 1], document][-_LONGEST:]
        self.at, self.merging = len(self.documents) - 1, merging

    def undo(self) -> bool:
        """Show the document before; False where there is none."""
        return self._go(-1)

    def redo(self) -> bool:
        """Show the document after; False where there is none."""
        return self._go(1)

    def _go(self, steps: int) -> bool:
        self.merging = ""
        if not 0 <= self.at + steps < len(self.documents):
            return False
        self.at += steps
        return True

"""A source company and its targets with all that belongs to their accounts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sandbox_driver import SOURCE, Sandbox
from singer_children import ENTITIES, held, lines, told
from singer_group import NORTH, SOUTH, all_of
from target_driver import InProcessTarget, Loaded

STREAMS = tuple(ENTITIES)


class Family:
    """Run after run, the target is told what the source holds."""

    def __init__(self, target: InProcessTarget) -> None:
        self.target = target

    @property
    def sandbox(self) -> Sandbox:
        return self.target.sandbox

    def sync(self, told: Mapping[str, Sequence[Mapping[str, Any]]] | None = None, **settings: Any) -> Loaded:
        """Bring what the source holds now, or these records, to two companies."""
        given = self.told() if told is None else {**dict.fromkeys(("accounts", *STREAMS), ()), **told}
        settings = {"fan_out": all_of(NORTH, SOUTH), "bank_accounts_unapproved": True, **settings}
        return self.target.load_lines(lines(given, state={"at": 1}), **settings)

    def told(self) -> dict[str, list[dict[str, Any]]]:
        return told(self.sandbox, STREAMS)

    def is_equal(self, division: int) -> bool:
        """Whether a company holds what the source holds, of every stream."""
        return all(held(self.sandbox, SOURCE, one) == held(self.sandbox, division, one) for one in STREAMS)

    def calls(self) -> list[dict[str, Any]]:
        return [call for call in self.sandbox.journal() if call["endpoint"] != "oauth2/token"]

    def writes(self) -> int:
        """How often anything was written."""
        return sum(call["method"] != "GET" for call in self.calls())

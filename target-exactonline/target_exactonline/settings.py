"""Settings of the target's own, beside those that all programs share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from mapper_exactonline.settings import SETTINGS as FAN_OUT_SETTINGS

from target_exactonline.planning.approvals import KINDS as APPROVABLE
from target_exactonline.planning.approvals import ApprovalRules
from target_exactonline.planning.match_keys import CODE, RULES, match_rules
from target_exactonline.planning.model import Rules
from target_exactonline.planning.source_deletions import SourceDeletions

OWN_SETTINGS: dict[str, dict[str, Any]] = {
    "fan_out": {
        "type": ["object", "null"],
        "properties": FAN_OUT_SETTINGS,
        "additionalProperties": False,
        "title": "Fan-out",
        "description": "Copy each record of a stream that is not addressed to every target division; {} for all.",
    },
    "load_method": {
        "type": "string",
        "enum": ["upsert", "append-only", "update-only"],
        "default": "upsert",
        "title": "Load method",
        "description": "What may be written: both, only new accounts, or only changes of existing ones.",
    },
    "dry_run": {
        "type": "boolean",
        "default": False,
        "title": "Trial run",
        "description": "Plan and report everything, write nothing.",
    },
    "max_errors": {
        "type": "integer",
        "default": 500,
        "minimum": 0,
        "title": "Refusals allowed",
        "description": "Records that may be refused before the run stops with a failure.",
    },
    "parallel_divisions": {
        "type": "integer",
        "default": 8,
        "minimum": 1,
        "maximum": 64,
        "title": "Divisions side by side",
        "description": "Divisions worked on at a time; one request at a time within a division.",
    },
    "nulls": {
        "type": "string",
        "enum": ["follow", "clear", "keep"],
        "default": "follow",
        "title": "Empty source fields",
        "description": "follow clears the target's only where we had written a value before; clear always; keep never.",
    },
    "on_collision": {
        "type": "string",
        "enum": ["refuse", "overwrite"],
        "default": "refuse",
        "title": "Same code, other party",
        "description": "What to do at first contact when the code belongs to someone else in the target.",
    },
    "match_on": {
        "type": ["array", "null"],
        "items": {"type": "string"},
        "default": [CODE],
        "title": "First contact",
        "description": "How an account finds its row in a company where it has none yet, in this order: "
        f"{', '.join(RULES)}. One hit is tied and goes on under the code that it has there; several are refused.",
    },
    "on_code_change": {
        "type": "string",
        "enum": ["refuse", "ignore", "block"],
        "default": "refuse",
        "title": "Code changed at the source",
        "description": "Exact cannot change a code: refuse until it is changed in the target; ignore, and go on under "
        "the old one; or block the old account and create one under the new code.",
    },
    "on_source_deletion": {
        "type": "string",
        "enum": ["ignore", "block", "delete"],
        "default": "ignore",
        "title": "Deleted at the source",
        "description": "What becomes of copies whose account was deleted at the source; block is taken back on return.",
    },
    "on_source_deletion_overrides": {
        "type": ["object", "null"],
        "title": "The same per division",
        "description": 'Per target division, in place of the above: {"201": "block"}.',
    },
    "reconcile": {
        "type": "boolean",
        "default": False,
        "title": "Compare all copies",
        "description": "Compare all copies that are known, and put right what people changed or deleted.",
    },
    "retry_refused": {
        "type": "boolean",
        "default": False,
        "title": "Try refused again",
        "description": "Try records again that Exact refused before, even if nothing of them changed.",
    },
    "max_creates": {
        "type": ["integer", "null"],
        "minimum": 0,
        "title": "Limit on creates",
        "description": "A division that would get more new accounts than this is stopped before its first write.",
    },
    "max_updates_share": {
        "type": ["number", "string", "null"],
        "minimum": 0,
        "maximum": 1,
        "title": "Limit on updates",
        "description": "A division is stopped before its first write when a larger share of its accounts would change.",
    },
    "max_deletes": {
        "type": ["integer", "null"],
        "minimum": 0,
        "title": "Limit on deletions",
        "description": "A division that would get more copies blocked or deleted is stopped before its first write.",
    },
    "require_approval": {
        "type": ["array", "null"],
        "items": {"type": "string", "enum": list(APPROVABLE)},
        "default": [],
        "title": "Changes to approve",
        "description": "Kinds of changes that wait until somebody approves them: "
        "creates, updates, deletions, bank_accounts, or all.",
    },
    "four_eyes": {
        "type": "boolean",
        "default": False,
        "title": "Four eyes",
        "description": "Who started a run may not approve its changes.",
    },
    "bank_accounts_unapproved": {
        "type": "boolean",
        "default": False,
        "title": "Bank accounts unapproved",
        "description": "Write bank accounts without approval. Otherwise each change of one waits until approved.",
    },
    "webhook_url": {
        "type": ["string", "null"],
        "secret": True,
        "title": "Webhook",
        "description": "https address that gets each run's summary as JSON: counts and names of companies only.",
    },
    "report_path": {
        "type": ["string", "null"],
        "title": "Report folder",
        "description": "Folder for the results: outcomes.jsonl and report.html.",
    },
}


@dataclass(frozen=True, slots=True)
class Decisions:
    """The settings that decide what is written."""

    rules: Rules
    deletions: SourceDeletions
    reconcile: bool
    retry_refused: bool
    approvals: ApprovalRules

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Decisions:
        """Read the settings.

        Raises:
            ConfigurationError: One of them is wrong.
        """
        rules = Rules(
            config["load_method"],
            config["nulls"],
            config["on_collision"],
            config["on_code_change"],
            match_on=match_rules(config.get("match_on")),
        )
        return cls(
            rules,
            SourceDeletions.from_config(config),
            reconcile=bool(config["reconcile"]),
            retry_refused=bool(config["retry_refused"]),
            approvals=ApprovalRules.from_config(config),
        )

    def of(self, division: int) -> Rules:
        """Return what decides on the records of one company."""
        return replace(self.rules, on_source_deletion=self.deletions.of(division))

    @property
    def blocks(self) -> bool:
        """Return whether rows may be blocked anywhere."""
        return self.deletions.blocks or self.rules.on_code_change == "block"

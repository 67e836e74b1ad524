"""What is planned, and under which terms."""

from __future__ import annotations

from dataclasses import dataclass

from exactonline_client.entities import Entity

from target_exactonline.planning.model import Rules
from target_exactonline.store.sources import Remembered


@dataclass(frozen=True, slots=True)
class Candidate:
    """A source record that a company is to be held against."""

    source: Remembered
    number: int | None = None
    """Of the record that came in, if it did in this run."""
    merged: int = 0
    """Records that came in before it and became part of it."""
    change: int | None = None
    """Of a record that is decided on again: the number of its change."""
    is_last: bool = False
    """Whether the plan has seen all other records before."""
    is_second_look: bool = False
    """Whether it was refused before, and is looked at in case somebody has mended what it met."""


@dataclass(frozen=True, slots=True)
class Terms:
    """Settings and circumstances of a plan."""

    division: int
    entity: Entity
    rules: Rules
    today: str
    """In the company, as a date without offset."""
    retry_refused: bool = False
    reconcile: bool = False
    is_trial: bool = False
    """Whether nothing is written or kept."""

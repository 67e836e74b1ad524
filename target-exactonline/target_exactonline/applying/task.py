"""What a lane works on, and what all lanes of a run have in common."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from exactonline_client.client import ExactClient
from exactonline_client.companies import Company
from exactonline_client.divisions import Division
from exactonline_client.failures import Failures

from target_exactonline.applying.references import ReferenceTerms
from target_exactonline.planning.approvals import ApprovalRules
from target_exactonline.planning.match_keys import KeyIndex
from target_exactonline.planning.model import Desired, Rules, SourceRecord
from target_exactonline.planning.safety import SafetyLimits
from target_exactonline.planning.terms import Candidate
from target_exactonline.reporting.progress import Progress
from target_exactonline.reporting.recorder import Recorder
from target_exactonline.store.memory import Memory
from target_exactonline.store.positions import Planned
from target_exactonline.store.runs import OpenRun
from target_exactonline.store.sources import Remembered


@dataclass(frozen=True, slots=True)
class Shared:
    """What the lanes of a run have in common."""

    memory: Memory
    accounts: Memory
    """What is known of accounts, for what belongs to them."""
    recorder: Recorder
    run: OpenRun
    failures: Failures
    progress: Progress
    stop: threading.Event
    limits: SafetyLimits
    fields: frozenset[str]
    """Fields that are compared, beside those that were once."""
    references: ReferenceTerms
    approvals: ApprovalRules
    dry_run: bool
    retry_refused: bool
    reconcile: bool
    planning: threading.Lock
    """Held by the company that plans: it is the processor's work, which side by side takes memory and gains nothing."""
    due: defaultdict[str, dict[int, int]]
    """Calls that are planned so far: by connection, whose companies share a contract, and by company."""


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be planned for one company."""

    company: Company
    number: int
    division: Division
    client: ExactClient
    rules: Rules
    desire: Callable[[SourceRecord], Desired | None]
    candidates: Callable[[], Iterator[list[Candidate]]]
    records: Callable[[Sequence[int]], dict[int, Remembered]]
    """Source records by number."""
    values: Callable[[], KeyIndex]
    """Returns the values of all source records that the company gets, as the rules of first contact look at them."""
    planned: Planned | None
    """How far the company is planned once this is done; None to leave that as it is."""
    settings: Callable[[], str]
    """Returns the digest of what decides on the company's rows."""
    scope: str
    expected: int = 0
    """Writes at most, as far as that is known before it is planned."""

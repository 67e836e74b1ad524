"""What a person says of customers that wait: handed to the functions that the command line calls, one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from exactonline_client.entities import ACCOUNTS
from exactonline_client.errors import ConfigurationError, StoreUnusableError
from exactonline_client.store import Store
from exactonline_client.transport import utc_now
from target_exactonline.store.approvals import Chosen, Verdicts
from target_exactonline.store.deferred import Deferred
from target_exactonline.store.match_lists import Candidate, MatchLists
from target_exactonline.store.matches import Matches, Verdict

from exactonline_console.worklist import Item, Place

WAYS: Mapping[str, tuple[str, ...]] = {
    "approve": ("approve",),
    "reject": ("approve",),
    "tie": ("decide",),
    "as-new": ("decide", "held"),
    "leave-out": ("decide", "code"),
    "retry": ("correct", "code", "references"),
    "release": ("held",),
    "forget": ("correct", "code", "references", "reach", "long", "soon"),
}
"""What can be said, and of which groups."""


@dataclass(slots=True)
class Settled:
    """What came of it."""

    done: int = 0
    left: list[tuple[str, str]] = field(default_factory=list)
    """What could not be done: of which customer and company, and why."""
    unclear: int = 0
    """Ties that name no candidate, where there is not just one."""

    @contextmanager
    def noting(self, about: str) -> Iterator[None]:
        """Note what cannot be done, and go on."""
        try:
            yield
        except StoreUnusableError:
            raise
        except ConfigurationError as error:
            self.left.append((about, str(error)))


class Decisions:
    """The decisions of one person."""

    def __init__(self, store: Store, urls: Sequence[str], by: str, *, four_eyes: bool) -> None:
        self._store = store
        self._urls = list(urls)
        self._by = by
        self._verdicts = Verdicts(store, urls, four_eyes=four_eyes)
        self._matches = Matches(store, ACCOUNTS)
        self._lists = MatchLists(store, urls, ACCOUNTS)

    def candidates(self, item: Item, place: Place) -> tuple[Candidate, ...]:
        """Return the customers of a company of which this may be one."""
        try:
            party = self._matches.find(self._urls, place.division, item.code, item.key)
        except StoreUnusableError:
            raise
        except ConfigurationError:
            return ()
        line = self._lists.line(party)
        return line.candidates if line else ()

    def settle(self, what: str, items: Sequence[Item], *, reason: str = "", picked: Mapping[str, str]) -> Settled:
        """Do what a person says to each of these customers in each of its companies.

        Args:
            what: One of `WAYS`; customers of other groups are passed over.
            items: The customers.
            reason: Of a rejection.
            picked: The row that each is to be tied to, by customer and company as `pick_id` names them.

        Raises:
            ConfigurationError: A rejection has no reason.
        """
        if what == "reject" and not reason:
            raise ConfigurationError("Say why you reject it: the reason is kept with it.")
        settled = Settled()
        meant = [(item, place) for item in items if item.group in WAYS[what] for place in item.places]
        if what in {"approve", "reject"}:
            self._judge(meant, reason if what == "reject" else None, settled)
            return settled
        for item, place in meant:
            target = picked.get(pick_id(item, place)) or self._only(item, place) if what == "tie" else None
            if what == "tie" and target is None:
                settled.unclear += 1
                continue
            with settled.noting(f"{item.code}, {place.name or place.division}"):
                settled.done += self._do(what, item, place, target)
        return settled

    def approve_plans(self, plans: Sequence[tuple[int, int]]) -> Settled:
        """Approve all that waits in these plans, each named with its company."""
        settled = Settled()
        for plan, division in plans:
            with settled.noting(str(division)):
                settled.done += len(self._verdicts.approve(Chosen(plan=plan, division=division), self._by, utc_now()))
        return settled

    def _judge(self, meant: Sequence[tuple[Item, Place]], reason: str | None, settled: Settled) -> None:
        """Approve changes, or reject them where there is a reason: all of one plan at a time."""
        codes: dict[tuple[int, int, str], dict[str, None]] = {}
        for item, place in meant:
            if place.plan is not None:
                codes.setdefault((place.plan, place.division, item.entity), {})[item.code] = None
        for (plan, division, entity), some in codes.items():
            chosen = Chosen(plan=plan, division=division, entity=entity, codes=tuple(some))
            with settled.noting(f"{', '.join(some)}, {division}"):
                if reason is None:
                    settled.done += len(self._verdicts.approve(chosen, self._by, utc_now()))
                else:
                    settled.done += len(self._verdicts.reject(chosen, self._by, reason))

    def _do(self, what: str, item: Item, place: Place, target: str | None) -> int:
        waiting = Deferred(self._store, [place.site])
        ways: Mapping[str, Callable[[], int]] = {
            "tie": lambda: self._decide(item, place, "tied", target),
            "as-new": lambda: self._decide(item, place, "as_new", None),
            "leave-out": lambda: self._decide(item, place, "left_out", None),
            "retry": lambda: waiting.try_again(place.division, item.code),
            "release": lambda: waiting.release(place.division, item.code),
            "forget": lambda: waiting.forget(None, place.division, item.code),
        }
        return ways[what]()

    def _decide(self, item: Item, place: Place, verdict: Verdict, target: str | None) -> int:
        party = self._matches.find([place.site], place.division, item.code, item.key)
        self._matches.decide(party, verdict, target, self._by, utc_now())
        return 1

    def _only(self, item: Item, place: Place) -> str | None:
        found = self.candidates(item, place)
        return found[0].id if len(found) == 1 else None


def pick_id(item: Item, place: Place) -> str:
    """Return how a form names the choice of a row for a customer in a company."""
    return f"pick.{item.source}.{place.company}"

"""What a refusal of Exact (403 and its like) is about, and what a person does next. Pure.

Reasons are those of the header `Reason` (quoted by Exact in PICQER issue 451). The texts of 403 are quotes of users;
the scopes are those of the reference pages of 2025 and of production notes of August 2026.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Cause = Literal[
    "app_scope",
    "licence",
    "blocked_company",
    "blocked_customer",
    "blocked_user",
    "consent",
    "right",
    "token",
    "unknown",
]
"""Subject of a refusal: who or what has to be mended."""

SCOPES = {
    "crm/": "Crm accounts",
    "sync/crm/": "Crm accounts",
    "bulk/crm/": "Crm accounts",
    "system/": "Organization administration",
    "sync/deleted": "Organization administration",
    "users/": "Organization administration",
    "read/sync/": "Organization administration",
    "cashflow/": "Financial cashflow",
    "vat/": "Financial accounting",
    "financial/glaccounts": "Financial generalledgers",
    "hrm/cost": "Financial costcenters",
    "general/currencies": "Financial currencies",
    "sales/shippingmethods": "Sales orders",
    "sales/": "Sales prices",
    "logistics/": "Logistics items",
}
"""Beginning of an endpoint, in lower case, and the scope that an app needs for it, as Exact's App Centre calls it."""

NEEDED_SCOPES = ("Crm accounts", "Organization administration")
"""Scopes that tap and target need for accounts: lists of divisions and of deletions are under the second."""

_SCOPE_TEXT = re.compile(r"application scope|scope violated", re.IGNORECASE)
_NAMED_SCOPE = re.compile(r"'([a-z]+(?:\.[a-z]+)+)'", re.IGNORECASE)
_CONSENT_TEXT = re.compile(
    r"division scope|wrong division|ongeldig\s*:\s*divisie|invalid\s*:\s*division", re.IGNORECASE
)

_STEPS: dict[Cause, str] = {
    "app_scope": "The app lacks the scope {scope}: add it to the app in Exact's App Centre. Exact answers like this "
    "until it has approved the scope; a new login does not help.",
    "licence": "The licence of this company has ended: renew it in Exact Online, or take the company off the settings.",
    "blocked_company": "The company is blocked while Exact restores, converts or moves it, or for good: look at it in "
    "Exact Online. If it opens again, a later run goes on by itself.",
    "blocked_customer": "Exact blocked the customer that holds the contract: it has to be settled with Exact.",
    "blocked_user": "Exact blocked the user of this login: have the user released in Exact Online, or log in as "
    "another.",
    "consent": "Check that the user may work in this company, and that it was granted to the app at consent: if not, "
    "log in again and tick it.",
    "right": "Check the rights of the user in this company: the role must allow this for customers and suppliers. If "
    "they are in order, check that the company was granted to the app at consent.",
    "token": "Exact accepts this login elsewhere, so no new login is needed: check in Exact Online that the user may "
    "work in this company and that it was granted to the app at consent.",
    "unknown": "Look up in Exact Online what this means for the user and the app.",
}
_BY_REASON: dict[str, Cause] = {
    "licenseexpired": "licence",
    "licenceexpired": "licence",
    "divisionblocked": "blocked_company",
    "blockeddivision": "blocked_company",
    "blockedcustomer": "blocked_customer",
    "blockeduser": "blocked_user",
    "inactiveuser": "blocked_user",
    "nodivisionaccess": "consent",
}
_SPREADS: frozenset[Cause] = frozenset({"app_scope", "blocked_customer", "blocked_user"})


@dataclass(frozen=True, slots=True)
class Advice:
    """Cause of a refusal and the next step of a person."""

    cause: Cause
    next_step: str
    scope: str = ""
    """Name of the scope that the app lacks, if that is the cause."""

    @property
    def concerns_more_than_one_company(self) -> bool:
        """Whether the same is to be expected in other companies of the same login."""
        return self.cause in _SPREADS


def advise(status: int, text: str, reason: str, endpoint: str) -> Advice:
    """Return what a refusal is about.

    Args:
        text: Exact's words in the body.
        reason: Header `Reason`.
        endpoint: Path below the company, which tells the scope where the text does not name it.
    """
    if _SCOPE_TEXT.search(text) or _SCOPE_TEXT.search(reason):
        scope = _scope_in(text) or scope_of(endpoint)
        return Advice("app_scope", _STEPS["app_scope"].format(scope=f"'{scope}'" if scope else "for this"), scope)
    cause = _BY_REASON.get(reason.partition(":")[0].strip().casefold().replace(" ", ""))
    if cause is None and _CONSENT_TEXT.search(f"{text} {reason}"):
        cause = "consent"
    if cause is None:
        cause = "token" if status == 401 else "unknown" if reason else "right"
    return Advice(cause, _STEPS[cause])


def scope_of(endpoint: str) -> str:
    """Return the scope that an app needs for an endpoint, or an empty text if it is not known."""
    path = endpoint.casefold()
    return next((scope for beginning, scope in SCOPES.items() if path.startswith(beginning)), "")


def _scope_in(text: str) -> str:
    """`organization.administration` in a text, as the App Centre writes it."""
    named = _NAMED_SCOPE.search(text)
    return named[1].replace(".", " ").capitalize() if named else ""

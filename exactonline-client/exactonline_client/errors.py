"""Everything that can go wrong with Exact Online, grouped by what the caller does next.

    ExactError
    ├── ConfigurationError          a person corrects the settings
    │   └── StoreUnusableError           the store is locked, full or out of reach; mend that and run again
    ├── LoginNeededError            a person consents again in a browser
    │   └── NobodyLoggedInError          no login is stored, and no first token is set
    ├── TryLaterError               the same call can succeed after `until`; `kind` names the limit
    │   └── RefreshOutcomeUnknownError   nobody knows whether a refresh happened: the same token is sent again
    ├── RecordRefusedError          Exact's verdict on this one record; go on with the others
    │   └── AlreadyExistsError      the key is taken: read what holds it
    ├── NotFoundError               the row is not there: read again
    ├── DivisionRefusedError        these credentials cannot do this in this company; `advice` says what to mend
    └── UnexpectedReplyError        no verdict: Exact is out of reach, out of order, or says what nobody knows
        └── WrongCompanyError       Exact answered for another company: nothing more is sent to this one

Each error carries `kind`, the reason as reports call it, and `scope`, the smallest thing that explains it: what is
given up because of this error alone. `failures.Failures` decides when several of them explain more.

Wording lives here; whoever raises passes facts. No message ever holds a secret: `transport.redact` sees every text
that comes from outside before it gets here.
"""

from __future__ import annotations

import shlex
from datetime import datetime
from typing import Literal

from exactonline_client.advice import Advice, advise

Kind = Literal[
    "rejected",
    "collision",
    "minute_limit",
    "day_limit",
    "contract_limit",
    "error_limit",
    "no_access",
    "unreachable",
    "fault",
    "moving",
]
"""Reason of an error, in the words of the target's reports."""
Scope = Literal["record", "company", "site"]


def login_command(name: str = "") -> str:
    """What a person types to log in at the connection of this name, or at the only one."""
    return f"exactonline login --connection {shlex.quote(name)}" if name else "exactonline login"


def sentence(text: str) -> str:
    """Return a text with a full stop at its end, unless it has one."""
    return text if text.endswith((".", "!", "?")) else f"{text}."


class ExactError(Exception):
    """Root of all errors of this package."""

    kind: Kind = "fault"
    scope: Scope = "site"


class ConfigurationError(ExactError):
    """A setting is missing, contradictory or wrong; nothing was written."""


class StoreUnusableError(ConfigurationError):
    """The store was opened, and cannot be read or written now."""

    def __init__(self, address: str, said: str) -> None:
        """Say what the database said of itself."""
        super().__init__(
            f"The store {address} cannot be used any more: {said}. What was acknowledged is safe; mend it (free disk "
            "space, end what holds it, start the server) and run again."
        )
        self.said = said


class LoginNeededError(ExactError):
    """Exact no longer accepts the stored tokens; a person must consent again."""

    kind: Kind = "no_access"
    says = "Exact refused the login of {connection}: {reason} A person must consent again in a browser: say `{login}`."

    def __init__(self, connection: str, reason: str = "", *, name: str = "") -> None:
        """Say it of a connection as messages call it; `name` is that of the settings, where they have several."""
        super().__init__(self.says.format(connection=connection, reason=reason, login=login_command(name)))
        self.connection = connection
        self.reason = reason


class NobodyLoggedInError(LoginNeededError):
    """The store holds no tokens for the connection, and the settings no first one."""

    says = "Nobody is logged in at {connection}: say `{login}`."


class TryLaterError(ExactError):
    """A limit is reached, or Exact asks to wait; the same call can succeed after `until` (aware, UTC)."""

    def __init__(
        self, reason: str, until: datetime, *, kind: Kind = "unreachable", scope: Scope = "site", division: int = 0
    ) -> None:
        super().__init__(f"{reason} It goes on after {until:%Y-%m-%d %H:%M:%S} UTC.")
        self.reason = reason
        self.until = until
        self.kind = kind
        self.scope = scope
        self.division = division


class RefreshOutcomeUnknownError(TryLaterError):
    """A token refresh got no answer, or one that says nothing of the refresh token, which may still be good."""

    def __init__(self, connection: str, said: str, until: datetime, *, times: int = 1) -> None:
        super().__init__(
            f"Login at {connection}: a token refresh was not answered in a form that says whether Exact took it "
            f"({said}{f', {times} times in a row' if times > 1 else ''}). The same refresh token is presented again; "
            "nobody has to log in for that.",
            until,
        )
        self.connection = connection


class RecordRefusedError(ExactError):
    """Exact will not take this record as it is. Nothing of it was written."""

    kind: Kind = "rejected"
    scope: Scope = "record"

    def __init__(self, *, entity: str, division: int, key: str, status: int, said: str) -> None:
        super().__init__(
            f"Exact refused {entity} {key} in division {division} (HTTP {status}): {sentence(said)} "
            "Not written; correct it in the source and run again."
        )
        self.division = division
        self.key = key
        self.status = status
        self.said = said


class AlreadyExistsError(RecordRefusedError):
    """A create met a row that has the same natural key, by Exact's words or by a look."""

    kind: Kind = "collision"


class NotFoundError(ExactError):
    """The row is not there (any more)."""

    scope: Scope = "record"

    def __init__(self, *, entity: str, division: int, key: str) -> None:
        super().__init__(f"Exact has no {entity} {key} in division {division} (HTTP 404).")
        self.division = division
        self.key = key


class DivisionRefusedError(ExactError):
    """The company is out of scope, blocked or moving, or the app, its licence or its user may not do this in it."""

    kind: Kind = "no_access"

    def __init__(
        self,
        *,
        division: int,
        status: int,
        said: str,
        text: str = "",
        reason: str = "",
        endpoint: str = "",
        key: str = "",
    ) -> None:
        """Say it with Exact's own words.

        Args:
            said: Text and header `Reason` together, as they are shown.
            text: Exact's text alone; `said` if it is not given.
            reason: Header `Reason` alone.
            endpoint: Path below the company.
            key: Record that was to be written. If Exact names no cause, it may be about this record alone, as where
                the user lacks the security level of one account.
        """
        self.advice: Advice = advise(status, text or said, reason, endpoint)
        whom = f"division {division}" if division else "this login"
        super().__init__(f"Exact refuses {whom} (HTTP {status}): {sentence(said)} {self.advice.next_step}")
        self.division = division
        self.status = status
        self.said = said
        self.reason = reason
        self.key = key
        self.scope = "company" if division else "site"
        if key and self.advice.cause in {"right", "unknown"}:
            self.scope = "record"
        if self.advice.cause == "blocked_company":
            self.kind = "moving"


class UnexpectedReplyError(ExactError):
    """No answer, or one that is no verdict, and more tries did not mend it."""

    def __init__(
        self,
        request: str,
        what: str,
        *,
        kind: Kind = "fault",
        scope: Scope = "site",
        division: int = 0,
        key: str = "",
        status: int = 0,
    ) -> None:
        super().__init__(f"{request}: {what}")
        self.request = request
        self.what = what
        self.kind = kind
        self.scope = scope
        self.division = division
        self.key = key
        self.status = status
        """HTTP status of the answer; 0 if there was none."""


class WrongCompanyError(UnexpectedReplyError):
    """Exact answered for another company than was asked (it happened in production in 2021 and October 2024)."""

    def __init__(
        self, request: str, *, division: int, other: int, is_write: bool, what: str = "", answered_key: str = ""
    ) -> None:
        """Name both companies.

        Args:
            division: The company that was asked.
            other: The company that the answer is about.
            is_write: Whether something may have been changed there.
            what: Row that was sent, as messages call it.
            answered_key: Exact's ID of the row in the answer.
        """
        by_id = f", under the ID {answered_key}," if answered_key else ""
        happened = (
            f"{what or 'what was sent'} may now be in division {other}{by_id} and not in division {division}. Look at "
            "both in Exact Online"
            if is_write
            else "nothing of that answer was used"
        )
        super().__init__(
            request,
            f"Exact answered for division {other} when division {division} was asked: {happened}. Nothing more is sent "
            f"to division {division} in this run.",
            scope="company" if division else "site",
            division=division,
            key=what,
        )
        self.other = other
        self.is_write = is_write
        self.answered_key = answered_key

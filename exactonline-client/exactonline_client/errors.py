"""Everything that can go wrong with Exact Online, grouped by what the caller does next.

    ExactError
    ├── ConfigurationError          a person corrects the settings
    ├── LoginNeededError            a person consents again in a browser
    │   └── NobodyLoggedInError          no login is stored, and no first token is set
    ├── TryLaterError               the same call can succeed after `until`
    │   └── RefreshOutcomeUnknownError   nobody knows whether a refresh happened: the same token is sent again
    ├── RecordRefusedError          this one record cannot be written; go on with the others
    │   └── AlreadyExistsError      the key is taken: read what holds it
    ├── NotFoundError               the key is gone: read again
    ├── DivisionRefusedError        these credentials cannot do this in this division
    └── UnexpectedReplyError        our picture of Exact is wrong, or Exact stays broken: stop

Wording lives here; whoever raises passes facts. No message ever holds a secret: `transport.redact` sees every text
that comes from outside before it gets here.
"""

from __future__ import annotations

import shlex
from datetime import datetime


def login_command(name: str = "") -> str:
    """What a person types to log in at the connection of this name, or at the only one."""
    return f"exactonline login --connection {shlex.quote(name)}" if name else "exactonline login"


class ExactError(Exception):
    """Root of all errors of this package."""


class ConfigurationError(ExactError):
    """A setting is missing, contradictory or wrong; nothing was written."""


class LoginNeededError(ExactError):
    """Exact no longer accepts the stored tokens; a person must consent again."""

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
    """A limit is reached; the same call can succeed after `until` (aware, UTC)."""

    def __init__(self, reason: str, until: datetime) -> None:
        super().__init__(f"{reason} It goes on after {until:%Y-%m-%d %H:%M:%S} UTC.")
        self.reason = reason
        self.until = until


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

    def __init__(self, *, entity: str, division: int, key: str, status: int, said: str) -> None:
        super().__init__(
            f"Exact refused {entity} {key} in division {division} (HTTP {status}): {said} "
            "Not written; correct it in the source and run again."
        )
        self.division = division
        self.key = key
        self.status = status
        self.said = said


class AlreadyExistsError(RecordRefusedError):
    """A create met a row that has the same unique key."""


class NotFoundError(ExactError):
    """The row is not there (any more)."""

    def __init__(self, *, entity: str, division: int, key: str) -> None:
        super().__init__(f"Exact has no {entity} {key} in division {division} (HTTP 404).")
        self.division = division
        self.key = key


class DivisionRefusedError(ExactError):
    """The division is out of scope, blocked, moving, or a right is missing."""

    def __init__(self, *, division: int, status: int, said: str) -> None:
        super().__init__(
            f"Exact refuses division {division} (HTTP {status}): {said} "
            "Check that the user may work in it and granted it to the app at consent."
        )
        self.division = division
        self.status = status
        self.said = said


class UnexpectedReplyError(ExactError):
    """An answer that does not fit what is known of Exact, or a fault that more tries did not mend."""

    def __init__(self, request: str, what: str) -> None:
        super().__init__(f"{request}: {what}")
        self.request = request
        self.what = what

"""Whether a job can start, asked of Exact by the client's own check; and the rights that it showed, remembered."""

from __future__ import annotations

from datetime import datetime

from exactonline_client.connections import Connections
from exactonline_client.programs import installed
from exactonline_client.proof import prove
from exactonline_client.readiness import DivisionFinding, Readiness
from exactonline_client.settings import Settings
from exactonline_client.standing import PROGRAM, Patience
from exactonline_client.store import Store
from sqlalchemy import delete

from exactonline_console.jobs import Job
from exactonline_console.tables import sights


def check(job: Job, settings: list[Settings], store: Store) -> Readiness:
    """Ask Exact for what the job needs: two calls per connection, two to four per company; nothing is written there."""
    with Connections(settings, store, program=PROGRAM, sleep=Patience()) as connections:
        found = prove(
            connections,
            store,
            sources=[job.source],
            targets=list(job.targets) or None,
            excluded=job.excluded,
            expected={str(code): name for code, name in job.names.items()},
            last_write=lambda site, code: _last_write(store, site, code),
        )
    _remember([one for one in found.findings if isinstance(one, DivisionFinding) and one.connection], store)
    return found


def _last_write(store: Store, site: str, code: int) -> datetime | None:
    return max(filter(None, (one.last_write(store, site, code) for one in installed())), default=None)


def _remember(found: list[DivisionFinding], store: Store) -> None:
    with store.write() as connection:
        for one in found:
            mine = (sights.c.connection == one.connection) & (sights.c.division == one.code)
            connection.execute(delete(sights).where(mine))
            row = {"connection": one.connection, "division": one.code}
            can = {"can_read": bool(one.sees_accounts), "can_write": bool(one.can_write)}
            connection.execute(sights.insert(), {**row, **can})

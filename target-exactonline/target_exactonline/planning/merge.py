"""Two records for one copy → one. Pure.

The unit is a field: a record that lacks a field says nothing of it, and one that carries None says that it is empty.
"""

from __future__ import annotations

from dataclasses import replace

from exactonline_client.entities import Entity

from target_exactonline.planning.model import SourceRecord


def merged(entity: Entity, newer: SourceRecord, older: SourceRecord) -> SourceRecord:
    """Return the newer record, completed by what only the older one says.

    A problem of the older record lasts as long as nothing newer is said of its field.
    """
    said = {*newer.values, entity.known_by}
    lasting = tuple(problem for problem in older.problems if problem.partition(" ")[0] not in said)
    return replace(
        newer,
        code=newer.code or older.code,
        values={**older.values, **newer.values},
        problems=newer.problems + tuple(problem for problem in lasting if problem not in newer.problems),
    )

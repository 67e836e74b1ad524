"""The lists of divisions (dossier 1.5): what user and app may reach, the whole licence, and the older list."""

from collections.abc import Iterable

from exactonline_sandbox import visits
from exactonline_sandbox.call import Reply
from exactonline_sandbox.context import Row, Visit
from exactonline_sandbox.properties import DIVISION, EVERY_DIVISION, HRM_DIVISION, RECENT_DIVISION, Entity
from exactonline_sandbox.reading import answer_count, answer_list, answer_one, query_of
from exactonline_sandbox.world import Division

_ARCHIVED = 2
_RECENT = 5
# Dutch divisions were seen with 1, a French one with FR (dossier 12.1, NANGO); all others as the French one.
_LEGISLATIONS = {"NL": "1"}


def get_divisions(visit: Visit) -> Reply:
    """Divisions that this user and app may reach; a headquarters is missing from it (INV /3431)."""
    return _answer(visit, DIVISION, _rows(visit, (division for division in _reachable(visit) if not division.hq)))


def get_all_divisions(visit: Visit) -> Reply:
    """All divisions of the licence: here, of the world."""
    divisions = sorted(visit.world.divisions.values(), key=lambda division: division.code)
    return _answer(visit, EVERY_DIVISION, _rows(visit, divisions))


def get_recent_divisions(visit: Visit) -> Reply:
    """The five divisions that this user worked in last, by code; headquarters among them is an assumption."""
    used = visits.recent(visit.db, visit.caller.user.name, _RECENT)
    known = visit.world.divisions
    return _answer(visit, RECENT_DIVISION, _rows(visit, [known[code] for code in sorted(used) if code in known]))


def get_hrm_divisions(visit: Visit) -> Reply:
    """The older list, whose Status is 0 for regular and 1 for archived."""
    numbers = _numbers(visit)
    rows: list[Row] = [
        {
            "Code": division.code,
            "Description": division.description,
            "HID": numbers[division.code],
            "Main": division.main,
            "Status": 1 if division.status == _ARCHIVED else 0,
        }
        for division in _reachable(visit)
        if not division.hq
    ]
    return _answer(visit, HRM_DIVISION, rows)


def _answer(visit: Visit, entity: Entity, rows: list[Row]) -> Reply:
    query = query_of(visit, entity)
    if visit.key is not None:
        row = next((row for row in rows if str(row["Code"]) == visit.key), None)
        return answer_one(visit, entity, query, row)
    return answer_count(entity, query, rows) if visit.count_only else answer_list(visit, entity, query, rows)


def _reachable(visit: Visit) -> Iterable[Division]:
    granted = visit.caller.user.divisions
    return [visit.world.divisions[code] for code in sorted(granted) if code in visit.world.divisions]


def _numbers(visit: Visit) -> dict[int, int]:
    return {code: number for number, code in enumerate(sorted(visit.world.divisions), start=1)}


def _rows(visit: Visit, divisions: Iterable[Division]) -> list[Row]:
    numbers, current = _numbers(visit), visit.current_division()
    return [_row(division, numbers[division.code], is_current=division.code == current) for division in divisions]


def _row(division: Division, number: int, *, is_current: bool) -> Row:
    row: Row = {
        "Code": division.code,
        "BlockingStatus": division.blocking_status,
        "Country": division.country,
        "Currency": division.currency,
        "Current": is_current,
        "CustomerCode": "1",
        "CustomerName": division.description,
        "Description": division.description,
        "DivisionMoveDate": division.moved,
        "Hid": number,
        "IsDossierDivision": False,
        "IsHRDivision": False,
        "IsMainDivision": division.main,
        "IsPracticeDivision": False,
        "Legislation": _LEGISLATIONS.get(division.country, division.country),
        "SiretNumber": "",
        "Status": division.status,
    }
    return row | dict(division.more)

"""Draws what happens in a world, by what its model holds at that moment."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING, Any

from model import Model
from parties import FIELDS, party
from places import SOURCES, TARGETS

if TYPE_CHECKING:
    from worlds import Op

EDITABLE = ("AddressLine1", "City", "Email", "Phone", "Language", "Name", "Postcode")
LANGUAGES = ("NL", "EN", "FR", "DE")
WRITES = {"method": ["POST", "PUT", "DELETE"]}
FAULTS: tuple[dict[str, Any], ...] = (
    *({"kind": "status", "status": status, "body": "", "applied": False, **WRITES} for status in (500, 502, 503, 599)),
    *({"kind": "status", "status": status, "body": "", "applied": True, **WRITES} for status in (502, 599)),
    *({"kind": "lost_answer", "applied": applied, **WRITES} for applied in (True, False)),
    *({"kind": "html_body", "applied": applied, **WRITES} for applied in (True, False)),
    *({"kind": kind, **WRITES} for kind in ("reset_before", "truncated_body", "garbage_json", "429_no_headers")),
    {"kind": "status", "status": 502, "body": "", "method": "GET"},
    {"kind": "lost_answer", "method": "GET", "every": 2},
)


class Drawing:
    """Draws op after op from one seed."""

    def __init__(self, seed: int, model: Model) -> None:
        self._draw = Random(seed)  # noqa: S311 - to be drawn again
        self._model = model
        self._parties = 0
        self._values = 0
        self._identities = 0
        self._left: list[tuple[int, str, dict[str, Any], int]] = []
        """Company, code, party and identity of source accounts that were deleted."""
        self._settings: dict[str, Any] = {
            "targets": list(TARGETS),
            "on_source_deletion": {TARGETS[0]: "block", TARGETS[1]: "delete"},
        }

    def opening(self) -> list[Op]:
        """A few accounts at the source, and some that a target has already: the same party, or another."""
        ops: list[Op] = []
        for source in SOURCES:
            for number in range(1, self._draw.randint(2, 5)):
                code, values = str(number + (source == SOURCES[1]) * 10), self._party()
                ops.append(self._added(source, code, values))
                for target in TARGETS:
                    dice = self._draw.random()
                    if dice < 0.1:
                        ops.append(self._added(target, code, {**values, "City": "Elders", "Phone": None}))
                    elif dice < 0.15:
                        ops.append(self._added(target, code, self._party()))
        return ops

    def before_a_run(self) -> list[Callable[[], Op | None]]:
        """What happens before a run: each is drawn when its turn comes."""
        return [self._happening for _ in range(self._draw.choice((0, 0, 1, 1, 2, 3, 5)))]

    def run(self) -> Op:
        """A run, with settings that change now and then, and trouble now and then."""
        draw = self._draw
        if draw.random() < 0.4:
            name, value = draw.choice(self._turns())
            self._settings[name] = value
        now, dice = dict(self._settings), draw.random()
        if dice < 0.05:
            return ("run_with_faults", now, [draw.choice(FAULTS) for _ in range(draw.randint(1, 2))])
        if dice < 0.08:
            return ("run_killed", now, draw.randint(1, 4))
        if dice < 0.1:
            return ("run_twice", now)
        if draw.random() < 0.15:
            now["reconcile"] = True
        if draw.random() < 0.1:
            now["max_creates"] = draw.randint(0, 2)
        return ("run", now)

    def _turns(self) -> list[tuple[str, Any]]:
        """Settings that may change, with a value for each."""
        draw = self._draw
        return [
            ("targets", sorted(draw.sample(TARGETS, draw.randint(1, len(TARGETS))))),
            ("targets", list(TARGETS)),
            ("fields", sorted({"Name", *draw.sample(FIELDS, draw.randint(1, len(FIELDS)))})),
            ("fields", list(FIELDS)),
            ("overrides", {draw.choice(TARGETS): {"Language": draw.choice(LANGUAGES)}}),
            ("overrides", {}),
            ("load_method", draw.choice(("upsert", "upsert", "append-only", "update-only"))),
            ("on_collision", draw.choice(("refuse", "refuse", "overwrite"))),
            ("nulls", draw.choice(("follow", "clear", "keep"))),
            ("on_code_change", draw.choice(("refuse", "ignore", "block"))),
            ("on_source_deletion", {one: draw.choice(("ignore", "block", "delete")) for one in TARGETS}),
        ]

    # What happens

    def _happening(self) -> Op | None:
        kinds: dict[Callable[[], Op | None], int] = {
            self._change: 8,
            self._empty: 3,
            self._come: 3,
            self._go: 2,
            self._return: 2,
            self._edit_by_hand: 5,
            self._delete_by_hand: 1,
            self._become_another: 1,
            self._rename: 1,
            self._swap: 1,
            self._rename_by_hand: 1,
            self._enter_by_hand: 1,
            self._begin: 1,
            self._commit: 2,
            self._back_up: 1,
            self._restore: 1,
            self._move: 1,
        }
        return self._draw.choices(list(kinds), list(kinds.values()))[0]()

    def _change(self) -> Op | None:
        return self._edited(self._source(), self._fields())

    def _empty(self) -> Op | None:
        name = self._draw.choice(("City", "Email", "Phone", "AddressLine1", "Language"))
        return self._edited(self._source(), {name: None})

    def _come(self) -> Op:
        source = self._source()
        return self._added(source, self._free_code(source), self._party())

    def _go(self) -> Op | None:
        source = self._source()
        if (code := self._code(source)) is None:
            return None
        row = self._model.held[source][code]
        self._left.append((source, code, dict(row.values), row.identity))
        return ("remove", source, code)

    def _return(self) -> Op | None:
        if not self._left:
            return None
        source, code, values, identity = self._draw.choice(self._left)
        if self._draw.random() < 0.4:
            return ("add", source, code, values, identity)
        return self._added(source, code, values)

    def _become_another(self) -> Op | None:
        """An account of a source or a target is given to another party."""
        return self._edited(self._draw.choice((*SOURCES, *TARGETS)), self._party())

    def _rename(self) -> Op | None:
        source = self._source()
        return self._edited(source, {"Code": self._free_code(source)})

    def _swap(self) -> Op | None:
        source = self._source()
        codes = sorted(self._model.held[source])
        return ("swap", source, *self._draw.sample(codes, 2)) if len(codes) > 1 else None

    def _edit_by_hand(self) -> Op | None:
        kinds = (self._fields(), self._fields(), {"City": None}, {"Phone": None}, {"Blocked": True}, {"Blocked": False})
        return self._edited(self._target(), self._draw.choice(kinds))

    def _delete_by_hand(self) -> Op | None:
        target = self._target()
        code = self._code(target)
        return None if code is None else ("remove", target, code)

    def _rename_by_hand(self) -> Op | None:
        return self._edited(self._target(), {"Code": self._free_code(self._source())})

    def _enter_by_hand(self) -> Op:
        """A party that a source has, where its code is free, or a stranger under a code that a source may get."""
        source, target, draw = self._source(), self._target(), self._draw
        code = self._code(source)
        if code is not None and draw.random() < 0.5:
            return self._added(target, code, dict(self._model.held[source][code].values))
        return self._added(target, self._free_code(source), self._party())

    def _begin(self) -> Op | None:
        source = self._source()
        code = self._code(source)
        return None if code is None else ("begin", source, code, self._fields())

    def _commit(self) -> Op:
        return ("commit", self._source())

    def _back_up(self) -> Op:
        return ("back_up", self._draw.choice((*SOURCES, *TARGETS)))

    def _restore(self) -> Op:
        return ("restore", self._draw.choice((*SOURCES, *TARGETS)))

    def _move(self) -> Op:
        return ("move", self._draw.choice((*SOURCES, *TARGETS)))

    # What is drawn of them

    def _edited(self, company: int, values: dict[str, Any]) -> Op | None:
        code = self._code(company)
        return None if code is None else ("edit", company, code, values)

    def _fields(self) -> dict[str, Any]:
        names = self._draw.sample(EDITABLE, self._draw.choice((1, 1, 2)))
        return {name: self._value(name) for name in names}

    def _value(self, name: str) -> str:
        self._values += 1
        shapes = {
            "Email": f"post@neu{self._values}.example",
            "Phone": f"030-{3000000 + self._values}",
            "Postcode": f"{5000 + self._values} CD",
            "Language": self._draw.choice(LANGUAGES),
            "City": self._draw.choice(("Utrecht", "Delft", f"Plaats {self._values}")),
        }
        return shapes.get(name, f"{'Firma' if name == 'Name' else 'Laan'} {10000 + self._values}")

    def _added(self, company: int, code: str, values: dict[str, Any]) -> Op:
        self._identities += 1
        return ("add", company, code, values, self._identities)

    def _party(self) -> dict[str, Any]:
        self._parties += 1
        return party(self._parties)

    def _target(self) -> int:
        return self._draw.choice(TARGETS)

    def _code(self, company: int) -> str | None:
        codes = sorted(self._model.held[company])
        return self._draw.choice(codes) if codes else None

    def _source(self) -> int:
        return self._draw.choice(SOURCES)

    def _free_code(self, source: int) -> str:
        """A code that a source does not have; one of few, so that others may."""
        free = [str(number) for number in range(1, 30) if str(number) not in self._model.held[source]]
        return self._draw.choice(free[:8])

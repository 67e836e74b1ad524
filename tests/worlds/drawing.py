"""Draws what happens in a world, by what its model holds at that moment."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from model import Model
from parties import FIELDS, party
from sandbox_driver import SOURCE, TARGETS

Op = tuple[Any, ...]
EDITABLE = ("AddressLine1", "City", "Email", "Phone", "Language", "Name", "Postcode")
LANGUAGES = ("NL", "EN", "FR", "DE")


class Drawing:
    """Draws op after op from one seed."""

    def __init__(self, seed: int, model: Model) -> None:
        self._draw = Random(seed)  # noqa: S311 - to be drawn again
        self._model = model
        self._parties = 0
        self._values = 0
        self._identities = 0
        self._left: list[tuple[str, dict[str, Any], int]] = []
        """Code, party and identity of source accounts that were deleted."""
        self._settings: dict[str, Any] = {
            "targets": list(TARGETS),
            "on_source_deletion": {TARGETS[0]: "block", TARGETS[1]: "delete"},
        }

    def opening(self) -> list[Op]:
        """A few accounts at the source, and some that a target has already: the same party, or another."""
        ops: list[Op] = []
        for number in range(1, self._draw.randint(3, 7)):
            values = self._party()
            ops.append(self._added(SOURCE, str(number), values))
            for target in TARGETS:
                dice = self._draw.random()
                if dice < 0.1:
                    ops.append(self._added(target, str(number), {**values, "City": "Elders", "Phone": None}))
                elif dice < 0.15:
                    ops.append(self._added(target, str(number), self._party()))
        return ops

    def before_a_run(self) -> list[Callable[[], Op | None]]:
        """What happens before a run: each is drawn when its turn comes."""
        return [self._happening for _ in range(self._draw.choice((0, 0, 1, 1, 2, 3, 5)))]

    def run(self) -> Op:
        """A run, with settings that change now and then."""
        draw = self._draw
        if draw.random() < 0.4:
            name, value = draw.choice(self._turns())
            self._settings[name] = value
        once: dict[str, Any] = {}
        if draw.random() < 0.15:
            once["reconcile"] = True
        if draw.random() < 0.1:
            once["max_creates"] = draw.randint(0, 2)
        return ("run", {**self._settings, **once})

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
            self._edit_by_hand: 4,
            self._delete_by_hand: 1,
            self._rename: 1,
            self._swap: 1,
            self._rename_by_hand: 1,
            self._enter_by_hand: 1,
        }
        return self._draw.choices(list(kinds), list(kinds.values()))[0]()

    def _change(self) -> Op | None:
        return self._edited(SOURCE, self._fields())

    def _empty(self) -> Op | None:
        return self._edited(SOURCE, {self._draw.choice(("City", "Email", "Phone", "AddressLine1", "Language")): None})

    def _come(self) -> Op:
        return self._added(SOURCE, self._free_code(), self._party())

    def _go(self) -> Op | None:
        if (code := self._code(SOURCE)) is None:
            return None
        row = self._model.held[SOURCE][code]
        self._left.append((code, dict(row.values), row.identity))
        return ("remove", SOURCE, code)

    def _return(self) -> Op | None:
        if not self._left:
            return None
        code, values, identity = self._draw.choice(self._left)
        if self._draw.random() < 0.4:
            return ("add", SOURCE, code, values, identity)
        return self._added(SOURCE, code, values)

    def _edit_by_hand(self) -> Op | None:
        kinds = (self._fields(), self._fields(), {"City": None}, {"Phone": None}, {"Blocked": True}, {"Blocked": False})
        return self._edited(self._target(), self._draw.choice(kinds))

    def _delete_by_hand(self) -> Op | None:
        target = self._target()
        code = self._code(target)
        return None if code is None else ("remove", target, code)

    def _rename(self) -> Op | None:
        return self._edited(SOURCE, {"Code": self._free_code()})

    def _swap(self) -> Op | None:
        codes = sorted(self._model.held[SOURCE])
        return ("swap", SOURCE, *self._draw.sample(codes, 2)) if len(codes) > 1 else None

    def _rename_by_hand(self) -> Op | None:
        return self._edited(self._target(), {"Code": self._free_code()})

    def _enter_by_hand(self) -> Op:
        """A stranger under a code that a source account may get, or a party that the source has, where it is free."""
        target, draw = self._target(), self._draw
        code = self._code(SOURCE)
        if code is not None and draw.random() < 0.5:
            return self._added(target, code, dict(self._model.held[SOURCE][code].values))
        return self._added(target, self._free_code(), self._party())

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

    def _free_code(self) -> str:
        """A code that the source does not have; one of few, so that targets may."""
        free = [str(number) for number in range(1, 30) if str(number) not in self._model.held[SOURCE]]
        return self._draw.choice(free[:6])

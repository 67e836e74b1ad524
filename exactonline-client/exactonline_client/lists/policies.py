"""The setting `references`: what happens to a code that a company lacks, or has for something else. Pure.

Every refusal is one sentence for a person: the setting, the value that was found, and what to do about it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from exactonline_client.entities import Entity
from exactonline_client.errors import ConfigurationError

WhenMissing = Literal["skip", "default", "wait", "refuse"]
WhenConflict = Literal["skip", "accept", "refuse"]
MEMBERS = ("missing", "conflict", "map", "default")
EXAMPLE = '{"PaymentConditionSales": {"missing": "skip", "map": {"201": {"30": "14"}}}}'


@dataclass(frozen=True, slots=True)
class Policy:
    """What is wanted of one reference."""

    missing: WhenMissing = "skip"
    conflict: WhenConflict = "skip"
    map: Mapping[int, Mapping[str, str]] = field(default_factory=dict)
    """Target company → the source's code → its own."""
    default: Mapping[int, str] = field(default_factory=dict)
    """Target company → its code for what it lacks."""

    def mapped(self, division: int, code: str) -> str | None:
        """Return the code that a company has for one of the source, by the settings."""
        return self.map.get(division, {}).get(code)

    def in_company(self, division: int) -> object:
        """Return all of it that counts in one company, in types that JSON has."""
        return [self.missing, self.conflict, self.map.get(division, {}), self.default.get(division)]


def policies(entity: Entity, value: object) -> dict[str, Policy]:
    """Read the setting; Meltano may hand codes over as numbers.

    Raises:
        ConfigurationError: Something in it is wrong.
    """
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise ConfigurationError(f"references: {value!r} is not an object. Give {EXAMPLE}.")
    found: dict[str, Policy] = {}
    for name, given in value.items():
        reference = entity.references.get(name) or entity.by_travelling_name.get(name)
        if reference is None:
            raise ConfigurationError(
                f"references: {name} refers to nothing that has a code. References are {', '.join(entity.references)}."
            )
        found[reference.field] = _policy(f"references of {name}", given)
    return found


def _policy(where: str, given: object) -> Policy:
    if not isinstance(given, Mapping):
        raise ConfigurationError(f"{where}: {given!r} is not an object. Give {EXAMPLE}.")
    for member in given:
        if member not in MEMBERS:
            raise ConfigurationError(f"{where}: there is no {member}. Give {', '.join(MEMBERS)}.")
    maps = _by_company(where, "map", given.get("map"))
    defaults = {code: _code(where, one) for code, one in _by_company(where, "default", given.get("default")).items()}
    missing = given.get("missing", "default" if defaults else "skip")
    return Policy(
        _one_of(f"{where}: missing", missing, get_args(WhenMissing)),
        _one_of(f"{where}: conflict", given.get("conflict", "skip"), get_args(WhenConflict)),
        {code: _map(where, one) for code, one in maps.items()},
        defaults,
    )


def _map(where: str, value: object) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise ConfigurationError(f'{where}: {value!r} maps nothing. Give {{"201": {{"30": "14"}}}}.')
    return {_code(where, one): _code(where, other) for one, other in value.items()}


def _by_company(where: str, member: str, value: object) -> dict[int, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise ConfigurationError(f"{where}: {member} is {value!r}, not an object by division code.")
    found = {}
    for key, one in value.items():
        text = str(key).strip()
        if not (text.isascii() and text.isdecimal() and int(text) > 0):
            raise ConfigurationError(
                f"{where}: {member} of {key!r}, which is not a division code. Give 201 or its like."
            )
        found[int(text)] = one
    return found


def _code(where: str, value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int)) or not str(value).strip():
        raise ConfigurationError(f'{where}: {value!r} is not a code. Give text such as "30".')
    return str(value).strip()


def _one_of(where: str, value: object, choices: tuple[Any, ...]) -> Any:
    if value not in choices:
        raise ConfigurationError(f"{where} cannot be {value!r}. Give one of {', '.join(choices)}.")
    return value

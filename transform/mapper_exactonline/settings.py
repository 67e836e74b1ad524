"""The settings of the mapping step, and what each of them may hold. Pure.

Every refusal is one sentence for a person: the setting, the value that was found, and what to do about it.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import chain
from typing import Any, Final, Literal, get_args

from exactonline_client.entities import ACCOUNTS, COPIED, MAIN_ROWS, Entity
from exactonline_client.entities.model import Trait
from exactonline_client.errors import ConfigurationError

KEY_PROPERTIES: Final = ["Division", "Code"]
"""What addresses a record: the division it goes to, and its number there."""

ALL: Final = "*"
"""Stands for the fields that are safe to copy, and in `field_rules` for all others."""

FieldRule = Literal["source", "initial", "target"]
FIELD_RULES: Final = get_args(FieldRule)

_COUNTRY: Final = re.compile("[A-Za-z]{2}")
_CODES: Final = {"type": ["integer", "string"]}  # text, since lists from the environment arrive as text

SETTINGS: Final[dict[str, dict[str, Any]]] = {
    "target_divisions": {
        "title": "Target divisions",
        "description": (
            "Codes of the divisions that get a copy. Without it: every active division in the tap's stream "
            "`divisions`, except the one that the record comes from."
        ),
        "type": ["array", "null"],
        "items": _CODES,
    },
    "exclude_divisions": {
        "title": "Excluded divisions",
        "description": "Codes of divisions that never get a copy.",
        "type": ["array", "null"],
        "items": _CODES,
        "default": [],
    },
    "target_names": {
        "title": "Target names",
        "description": (
            "Patterns of company names, as *bakery*, that get a copy beside target_divisions; case does not matter. "
            "The tap's stream `divisions` says the names."
        ),
        "type": ["array", "null"],
        "items": {"type": "string"},
    },
    "exclude_names": {
        "title": "Excluded names",
        "description": "Patterns of company names that never get a copy.",
        "type": ["array", "null"],
        "items": {"type": "string"},
        "default": [],
    },
    "countries": {
        "title": "Countries",
        "description": 'Only companies of these countries get a copy: ["NL", "BE"].',
        "type": ["array", "null"],
        "items": {"type": "string"},
    },
    "streams": {
        "title": "Streams",
        "description": (
            "Streams whose records are copied. Without it: accounts; or a stream of another name, if it is the only "
            "one with a Code."
        ),
        "type": ["array", "null"],
        "items": {"type": "string"},
    },
    "fields": {
        "title": "Fields",
        "description": (
            "Properties that travel, beside Code and Division, which always do. Without it: every property that "
            "means the same in each division, for which * stands in a list. Country and State travel together. What "
            "refers to a list of the company (SalesVATCode, GLAccountSales, Parent …) travels as its code."
        ),
        "type": ["array", "object", "null"],
        "items": {"type": "string"},
    },
    "field_rules": {
        "title": "Field rules",
        "description": (
            "Who owns a field, * for all others: source (the source wins), initial (the target owns it once it is "
            'filled) or target (the target owns it once somebody there changes it). {"Phone": "initial"}.'
        ),
        "type": ["object", "null"],
        "additionalProperties": {"type": "string", "enum": list(FIELD_RULES)},
        "default": {},
    },
    "references": {
        "title": "References",
        "description": (
            "What is done with the code of a payment condition, VAT code, ledger account … that a company lacks or "
            "has for something else, per property: missing (skip, default, wait, refuse), conflict (skip, accept, "
            'refuse), map and default by division. {"SalesVATCode": {"map": {"201": {"2": "21"}}}}.'
        ),
        "type": ["object", "null"],
        "additionalProperties": {"type": "object"},
        "default": {},
    },
    "overrides": {
        "title": "Overrides",
        "description": (
            'Constants per target division, as {"201": {"Language": "FR"}}. They replace what the source says; '
            "here a field tied to its division is welcome, with a value of that division."
        ),
        "type": ["object", "null"],
        "additionalProperties": {"type": "object"},
        "default": {},
    },
    "limit": {
        "title": "Limit",
        "description": (
            "Only the first so many source records of each stream are copied: for a trial. As soon as one is "
            "left out no STATE follows, so that a run without the limit starts where the trial did."
        ),
        "type": ["integer", "null"],
        "minimum": 1,
    },
}

_KINDS: Final[dict[str, tuple[str, tuple[type, ...]]]] = {
    "boolean": ("true or false", (bool,)),
    "integer": ("a whole number", (int,)),
    "number": ("a number", (int, float, Decimal)),
    "string": ("text", (str,)),
}


def json_type(field: str) -> str:
    """JSON Schema's name for what Exact keeps in a field of an account."""
    match ACCOUNTS.fields[field].edm:
        case "Boolean":
            return "boolean"
        case "Double":
            return "number"
        case "Byte" | "Int16" | "Int32" | "Int64":
            return "integer"
        case _:
            return "string"


def check_names(config: Mapping[str, Any]) -> None:
    """Refuse a setting that does not exist: a misspelt `target_divisions` would reach every company."""
    for name in config:
        if name not in SETTINGS:
            raise ConfigurationError(f"{name}: there is no such setting.{_did_you_mean(name, SETTINGS)}")


def positive_integer(value: object) -> int | None:
    """The number that is given as such or as digits; None if it is neither or not above zero."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def division_codes(setting: str, value: object) -> tuple[int, ...] | None:
    """The codes in a list, each once, in order; None if the setting is not set."""
    if value is None:
        return None
    return tuple(
        dict.fromkeys(_division(setting, item) for item in _list(setting, value, "division codes: [201, 202]"))
    )


def field_names(value: object, entity: Entity = ACCOUNTS) -> tuple[str, ...]:
    """The fields of an entity that travel, each once, in order; without a value those that are safe to copy.

    A plain list is of accounts.
    """
    if isinstance(value, Mapping):
        value = _of_stream(value, entity)
    elif entity is not ACCOUNTS:
        value = None
    if value is None:
        return entity.safe_to_copy
    listed = _list("fields", value, 'properties: ["Name", "City"]')
    named = chain.from_iterable(entity.safe_to_copy if name == ALL else (name,) for name in listed)
    names = dict.fromkeys(_travelling(name, entity) for name in named if name not in entity.key_properties)
    if not names.keys().isdisjoint({"Country", "State"}) and "State" in entity.writable:
        names |= {"Country": None, "State": None}
    return tuple(names)


def patterns(setting: str, value: object, *, may_be_empty: bool = True) -> tuple[str, ...]:
    """The patterns of names in a list, each once, in order."""
    if value is None:
        return ()
    names = _list(setting, value, 'names: ["*bakery*", "Head office"]', may_be_empty=may_be_empty)
    for one in names:
        if not isinstance(one, str) or not one.strip():
            raise ConfigurationError(f"{setting}: {one!r} is not a name. Give text such as *bakery*.")
    return tuple(dict.fromkeys(one.strip() for one in names))


def countries(value: object) -> frozenset[str] | None:
    """The countries in a list, in upper case; None if the setting is not set."""
    if value is None:
        return None
    named = _list("countries", value, 'countries: ["NL", "BE"]', may_be_empty=False)
    for one in named:
        if not isinstance(one, str) or not _COUNTRY.fullmatch(one.strip()):
            raise ConfigurationError(f"countries: {one!r} is not a country. Give two letters, as Exact does: NL.")
    return frozenset(one.strip().upper() for one in named)


def stream_names(value: object) -> tuple[str, ...] | None:
    """The streams in a list; None if the setting is not set."""
    if value is None:
        return None
    if not isinstance(value, (list, tuple)) or not value or not all(isinstance(one, str) and one for one in value):
        raise ConfigurationError(f'streams: {value!r} is not a list of streams. Give their names: ["customers"].')
    return tuple(dict.fromkeys(value))


def field_rules(value: object) -> dict[str, FieldRule]:
    """The rule of each field, under * that of all others."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise ConfigurationError(f'field_rules: {value!r} is not an object. Give {{"Phone": "initial"}}.')
    rules: dict[str, FieldRule] = {}
    for name, rule in value.items():
        if rule not in FIELD_RULES:
            raise ConfigurationError(f"field_rules: {name} cannot be {rule!r}. Give one of {', '.join(FIELD_RULES)}.")
        rules[name if name == ALL else _writable("field_rules", name)] = rule
    return rules


def constants(value: object) -> dict[int, dict[str, Any]]:
    """The constants of each division."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise ConfigurationError(f'overrides: {value!r} is not an object. Give {{"201": {{"Language": "FR"}}}}.')
    result: dict[int, dict[str, Any]] = {}
    for key, fields in value.items():
        where = f"overrides of {key}"
        if not isinstance(fields, Mapping):
            raise ConfigurationError(f'{where}: {fields!r} is not an object. Give {{"Language": "FR"}}.')
        for name, constant in fields.items():
            _check_constant(where, name, constant)
        result.setdefault(_division("overrides", key), {}).update(fields)
    return result


def count(setting: str, value: object) -> int | None:
    """A whole number of at least 1; None if the setting is not set."""
    if value is None:
        return None
    number = positive_integer(value)
    if number is None:
        raise ConfigurationError(f"{setting}: {value!r} is not a number of records. Give 1 or more, or leave it out.")
    return number


def _list(setting: str, value: object, of_what: str, *, may_be_empty: bool = True) -> Sequence[Any]:
    """The value as a list. One that chooses companies must not be empty: it would reach all, which nobody means."""
    if not isinstance(value, (list, tuple)):
        raise ConfigurationError(f"{setting}: {value!r} is not a list. Give a list of {of_what}.")
    if not value and not may_be_empty:
        raise ConfigurationError(f"{setting}: the list is empty. Name at least one, or leave the setting out.")
    return value


def _division(setting: str, value: object) -> int:
    code = positive_integer(value)
    if code is None:
        raise ConfigurationError(f"{setting}: {value!r} is not a division code. Give whole numbers such as 201.")
    return code


def _of_stream(value: Mapping[str, object], entity: Entity) -> object:
    """The fields of one entity, from an object that names those of each stream."""
    for stream in value:
        if stream not in COPIED:
            raise ConfigurationError(
                f"fields: {stream!r} is no stream whose records are copied ({', '.join(COPIED)}). "
                f'Give {{"{ACCOUNTS.stream}": [...]}}.'
            )
    return value.get(entity.stream)


def _travelling(name: object, entity: Entity) -> str:
    if isinstance(name, str) and name in entity.by_travelling_name:
        return entity.by_travelling_name[name].field
    name = _writable("fields", name, entity)
    travels = entity.references.keys() | (MAIN_ROWS.keys() if entity is ACCOUNTS else ())
    if entity.fields[name].division_bound and name not in travels:
        raise ConfigurationError(
            f"fields: {name} is tied to its division: the same value means something else, or nothing, in "
            "another one. Take it off; a constant per division can be set in overrides."
        )
    return name


def _check_constant(where: str, name: object, constant: object) -> None:
    if name in KEY_PROPERTIES or name == "ID":
        raise ConfigurationError(f"{where}: {name} says which record it is and cannot be set. Take it off.")
    kind = json_type(_writable(where, name))
    words, types = _KINDS[kind]
    fits = isinstance(constant, types) and (kind == "boolean" or not isinstance(constant, bool))
    if constant is not None and not fits:
        raise ConfigurationError(f"{where}: {name} cannot be {constant!r}. Give {words}, or null.")


def _writable(setting: str, name: object, entity: Entity = ACCOUNTS) -> str:
    if not isinstance(name, str) or name not in entity.fields:
        hint = _did_you_mean(str(name), entity.fields)
        article = "an" if entity.name.startswith("a") else "a"
        raise ConfigurationError(f"{setting}: {name!r} is not a property of {article} {entity.name}.{hint}")
    if Trait.OVERWRITES in entity.fields[name].traits:
        raise ConfigurationError(f"{setting}: {name} says what another field says, and overwrites it. Take it off.")
    if name not in entity.writable:
        raise ConfigurationError(f"{setting}: {name} is read-only: Exact fills it itself. Take it off.")
    return name


def _did_you_mean(name: str, names: Iterable[str]) -> str:
    by_lower_case = {known.lower(): known for known in names}
    close = difflib.get_close_matches(name.lower(), by_lower_case, n=1)
    return f" Did you mean {by_lower_case[close[0]]}?" if close else " Correct it or take it off."

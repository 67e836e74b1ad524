"""A record of any tap → the values that Exact takes, or what is wrong with it. Pure, by the entity's declaration.

Every check that can be made here saves a call and an error answer. What Exact alone can judge (a postcode, the length
of a name) is left to Exact. Text is converted where it can mean only one thing, so that a CSV file will do as a source.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any
from uuid import UUID

import pycountry
from exactonline_client.entities import Entity, Field
from exactonline_client.odata import Row, whole_characters

CODE = re.compile(r"[0-9]{1,18}")
STATUSES = {"A", "S", "P", "C"}
COUNTRIES_BESIDE_ISO = {"XK"}
TRUE_TEXTS = {"true", "t", "1", "yes", "y", "ja", "j", "oui", "waar", "wahr", "vrai"}
FALSE_TEXTS = {"false", "f", "0", "no", "n", "nee", "nein", "non", "onwaar", "falsch", "faux"}
"""As databases, spreadsheets and people write it in the languages of Exact's countries; no text is in both."""
EMAIL = re.compile(r"[^\s@,;<>]+@[^\s@,;<>]+\.[^\s@,;<>.]+")
"""Loose on purpose: what passes here and is no address after all, Exact refuses by itself, at no cost in errors."""
NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
"""With a point for decimals: 1,234 and 1.234 would each mean two things if a comma would do too."""
IBAN = re.compile("[A-Z]{2}[0-9]{2}")
"""How one begins; a French or American account number may be none."""
DATE = re.compile(r"([0-9]{4})-?([0-9]{2})-?([0-9]{2})")
INSTANT = re.compile(
    r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})[T ](?P<time>[0-9]{2}:[0-9]{2}(:[0-9]{2})?)(\.(?P<part>[0-9]{1,9}))?"
    r" ?(?P<zone>Z|[+-][0-9]{2}(:?[0-9]{2})?)?"
)
"""ISO 8601, and as PostgreSQL writes it; never day or month first, since 01-02-2026 means two things."""
FIRST_DAY = date(1753, 1, 1)
"""SQL Server's datetime begins here."""
_UNFIT = re.compile("[\ud800-\udfff\x00]")
"""Halves of characters, and the one that no database keeps."""
MOST_DIGITS = 10**30
"""A longer number is none that anybody means; written out it would take all memory."""
RANGES = {"Byte": (0, 255), "Int16": (-(2**15), 2**15 - 1), "Int32": (-(2**31), 2**31 - 1)}


@dataclass(frozen=True, slots=True)
class Checked:
    """A record as far as it can go to Exact."""

    code: str
    """Exact's natural key, trimmed; empty if there is none."""
    values: Row
    """Fields in their final type; None where the record has nothing. Without the code."""
    problems: tuple[str, ...]
    """What is wrong, each naming its field; empty if nothing is."""


def check(entity: Entity, record: Mapping[str, Any], names: Container[str], *, is_exacts: bool = False) -> Checked:
    """Convert and check these fields of a record; its other members are passed over.

    Args:
        is_exacts: Whether the record comes from an Exact company. What Exact itself holds is for Exact to judge.
    """
    problems: list[str] = []
    code = _code(entity.known_by, record.get(entity.known_by), problems)
    values: Row = {}
    for name, value in record.items():
        if name not in names or name == entity.known_by:
            continue
        field = entity.fields[name]
        convert = _compact if field.is_compact else _CONVERTERS_OF.get(name, _CONVERTERS[field.edm])
        values[name] = _checked(convert, name, value, problems)
        if is_exacts or values[name] is None:
            continue
        if complaint := _complaint(field, values[name]):
            problems.append(complaint)
    problems += [f"{name} is empty" for name in entity.required if name in values and _is_empty(record[name])]
    return Checked(code, values, tuple(problems))


def division_code(value: Any) -> int | None:
    """Return the code of a company, or None if it is none."""
    try:
        return _division(value)
    except _WrongTypeError:
        return None


def identity(value: Any) -> str:
    """Return an ID of Exact's as it is kept, or nothing for what no database keeps."""
    text = str(value or "").strip().lower()
    return "" if _UNFIT.search(text) else text


class _WrongTypeError(ValueError):
    """A value that is not of its field's type."""


def _checked(convert: Callable[[Any], Any], name: str, value: Any, problems: list[str]) -> Any:
    if _is_empty(value):
        return None
    try:
        return convert(value)
    except _WrongTypeError as error:
        problems.append(f"{name} is {_shown(value)}, which is not {error}")
        return None


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _code(name: str, value: Any, problems: list[str]) -> str:
    code = "" if value is None else whole_characters(_digits(value)).strip()
    if _UNFIT.search(code):
        problems.append(f"{name} is {_shown(code)}; Exact takes up to 18 digits and nothing else")
        return ""
    if not code:
        problems.append(f"{name} is empty")
    elif isinstance(value, bool) or not CODE.fullmatch(code):
        problems.append(f"{name} is {_shown(code)}; Exact takes up to 18 digits and nothing else")
    return code


def _digits(value: Any) -> str:
    """Return a value as text: a whole number without a decimal point, as spreadsheets and databases mean it."""
    if isinstance(value, (float, Decimal)) and math.isfinite(value) and value == (whole := int(value)):
        return str(whole) if abs(whole) < MOST_DIGITS else "a number of very many digits"
    if isinstance(value, int) and not isinstance(value, bool) and not -MOST_DIGITS < value < MOST_DIGITS:
        return "a number of very many digits"
    return str(value)


def _complaint(field: Field, value: Any) -> str | None:
    match field.name:
        case "Email" if not EMAIL.fullmatch(value):
            return f"Email is {_shown(value)}, which is no e-mail address"
        case "Country" if not _is_country(value):
            return f"Country is {_shown(value)}; Exact takes a two-letter ISO 3166 code"
        case "BankAccount" if IBAN.match(value) and not _is_iban(value):
            return f"BankAccount is {_shown(value)}, whose check digits are not those of an IBAN"
        case "Status" if value not in STATUSES:
            return f"Status is {_shown(value)}; Exact takes A, S, P or C"
        case _:
            return None


@lru_cache(maxsize=512)
def _is_country(value: str) -> bool:
    return value in COUNTRIES_BESIDE_ISO or (len(value) == 2 and pycountry.countries.get(alpha_2=value) is not None)


def _is_iban(value: str) -> bool:
    from stdnum import iban  # noqa: PLC0415 - with its tables of banks, for the few runs with bank accounts

    return iban.is_valid(value)


def _text(value: Any) -> str:
    if isinstance(value, str):
        if _UNFIT.search(value):
            raise _WrongTypeError("text of whole characters")
        return value.strip()
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        raise _WrongTypeError("text")
    if (isinstance(value, int) and abs(value) >= MOST_DIGITS) or not math.isfinite(value):
        raise _WrongTypeError("text")
    return _digits(value)


def _capitals(value: Any) -> str:
    text = _text(value)
    return text.upper() if len(text) <= 2 else text  # what is longer is no code, and told as it came


def _compact(value: Any) -> str:
    return "".join(_text(value).split()).upper()


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    text = _digits(value).strip().lower()
    if isinstance(value, (int, str, float, Decimal)) and text in TRUE_TEXTS | FALSE_TEXTS:
        return text in TRUE_TEXTS
    raise _WrongTypeError("true or false")


def _integer(value: Any) -> int:
    if isinstance(value, int):
        if abs(value) >= MOST_DIGITS:
            raise _WrongTypeError("a whole number")
        return int(value)
    number = _number(value)
    if number is None or number.adjusted() > 18 or number != number.to_integral_value():  # longer would take all memory
        raise _WrongTypeError("a whole number")
    return int(number)


def _number(value: Any) -> Decimal | None:
    """A finite number of any type, or as text; None if it is none."""
    if isinstance(value, str):
        value = value.strip()
        return Decimal(value) if NUMBER.fullmatch(value) else None
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        return None
    if isinstance(value, int) and abs(value) >= MOST_DIGITS:
        return None
    number = Decimal(value)
    return number if number.is_finite() else None


def _integer_within(low: int, high: int) -> Callable[[Any], int]:
    def convert(value: Any) -> int:
        number = _integer(value)
        if not low <= number <= high:
            raise _WrongTypeError(f"a whole number from {low} to {high}")
        return number

    return convert


def _division(value: Any) -> int:
    number = 0 if isinstance(value, bool) else _integer(value)
    if not 0 < number <= RANGES["Int32"][1]:
        raise _WrongTypeError("the code of a division")
    return number


def _double(value: Any) -> float:
    number = _number(value)
    if number is not None and math.isfinite(double := float(number)):
        return double
    raise _WrongTypeError("a number")


def _instant(value: Any) -> str:
    text = str(value).strip()
    try:
        instant = datetime.fromisoformat(_iso(text))
        if instant.date() >= FIRST_DAY:
            return instant.isoformat()
    except ValueError:
        pass
    raise _WrongTypeError("a date in ISO 8601, such as 2026-01-31, from 1753 on")


def _iso(text: str) -> str:
    """A date or instant in the form that every Python reads."""
    if day := DATE.fullmatch(text):
        return "-".join(day.groups())
    if (parts := INSTANT.fullmatch(text)) is None:
        return ""
    fraction = f".{parts['part'][:6]:<06}" if parts["part"] else ""
    zone = (parts["zone"] or "").replace("Z", "+00").replace(":", "")
    offset = f"{zone[:3]}:{zone[3:] or '00'}" if zone else ""
    return f"{parts['day']}T{parts['time']}{fraction}{offset}"


def _guid(value: Any) -> str:
    try:
        return str(UUID(str(value).strip()))
    except ValueError:
        raise _WrongTypeError("a GUID") from None


_CONVERTERS: dict[str, Callable[[Any], Any]] = {
    "Binary": _text,
    "Boolean": _boolean,
    "Byte": _integer_within(*RANGES["Byte"]),
    "DateTime": _instant,
    "Double": _double,
    "Guid": _guid,
    "Int16": _integer_within(*RANGES["Int16"]),
    "Int32": _integer_within(*RANGES["Int32"]),
    "Int64": _integer,
    "String": _text,
}
_CONVERTERS_OF: dict[str, Callable[[Any], Any]] = {"Country": _capitals, "Status": _capitals}
"""For fields whose values are codes in capitals."""


def _shown(value: Any) -> str:
    text = whole_characters(_digits(value))
    return repr(text if len(text) <= 60 else text[:57] + "...")

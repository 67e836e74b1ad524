"""Values between their three forms: kept, on the wire, and as a person reads them.

Kept: text trimmed of padding, dates as wall milliseconds, guids in lower case, all else as JSON has it.
"""

import re
from collections.abc import Callable
from typing import Any

from exactonline_sandbox.call import NotImitatedError, Refusal
from exactonline_sandbox.clock import iso, json_date, parse_wall
from exactonline_sandbox.properties import Property

Value = Any  # the JSON edge: str, int, float, bool or None

_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_WITH_ZONE = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:?\d\d)")
_RANGES = {
    "Edm.Byte": range(256),
    "Edm.Int16": range(-(2**15), 2**15),
    "Edm.Int32": range(-(2**31), 2**31),
}


_TYPES: dict[str, type | tuple[type, ...]] = {
    "Edm.String": str,
    "Edm.Boolean": bool,
    "Edm.Double": (int, float),
    **dict.fromkeys(("Edm.Byte", "Edm.Int16", "Edm.Int32", "Edm.Int64"), int),
}


class BadGuidError(ValueError):
    """A text that should be a guid is none; Exact calls that a business error (dossier 9)."""


def pad(text: str, width: int) -> str:
    """Text filled with spaces as Exact's fixed-width fields are (dossier 2.6)."""
    return text.rjust(-width) if width < 0 else text.ljust(width)


def encoder(known: Property) -> Callable[[Value], Value] | None:
    """How a kept value, not null, becomes its wire form; None where it already is."""
    if known.edm == "Edm.DateTime":
        return json_date
    if known.edm == "Edm.Int64":
        return str
    if known.padding:
        width = known.padding
        return lambda text: pad(text, width) if text else text
    return None


def readable(known: Property, value: Value) -> Value:
    """A kept value as people and tests want it: dates as ISO wall time."""
    return iso(value) if known.edm == "Edm.DateTime" and value is not None else value


def kept_from_person(known: Property, value: Value) -> Value:
    """The kept form of a value in a world file or a control call; the reverse of `readable`.

    Raises:
        ValueError: A value of another type than the property's.
    """
    if value is None:
        return None
    if known.edm == "Edm.DateTime" and isinstance(value, str):
        wall = parse_wall(value)
        if wall is None:
            raise ValueError(f"{known.name}: {value!r} is not a date like 2024-01-31 or 2024-01-31T10:00:00")
        return wall
    if known.edm == "Edm.Guid":
        return str(value).lower()
    if not isinstance(value, _TYPES.get(known.edm, object)) or (isinstance(value, bool) and known.edm != "Edm.Boolean"):
        raise ValueError(f"{known.name}: {value!r} is no {known.edm}")
    return value.strip() if isinstance(value, str) and known.padding else value


def kept_from_body(known: Property, value: Value) -> Value:
    """The kept form of a value in a POST or PUT.

    Raises:
        Refusal: The JSON type does not fit (400). The text is WCF's; no recording has one.
        BadGuidError: A guid that is none.
        NotImitatedError: A date with a zone, of which nothing is known.
    """
    if value is None:
        return None
    fits = _FITS.get(known.edm)
    if fits is None:
        raise NotImitatedError(f"a value for {known.name} of type {known.edm} in a body")
    kept = fits(known, value)
    if kept is None:
        raise Refusal(
            400,
            "Error processing request stream. Error encountered in converting the value from request payload "
            f"for property '{known.name}' to type '{known.edm}', which is the property's expected type.",
        )
    return kept


def _text(known: Property, value: Value) -> Value:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        value = str(value)  # a client in use sends a payment condition as 15 (C: exactonline's ExactCustomer)
    if not isinstance(value, str) or not _can_be_written(value):
        return None
    return value.strip() if known.padding else value


def _can_be_written(text: str) -> bool:
    """Whether a text is proper Unicode; half a surrogate pair is not."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _whole(known: Property, value: Value) -> Value:
    fits = isinstance(value, int) and not isinstance(value, bool) and value in _RANGES[known.edm]
    return value if fits else None


def _double(known: Property, value: Value) -> Value:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _boolean(known: Property, value: Value) -> Value:
    return value if isinstance(value, bool) else None


def _guid(known: Property, value: Value) -> Value:
    if not isinstance(value, str):
        return None
    if not _GUID.fullmatch(value):
        raise BadGuidError(known.name)
    return value.lower()


def _date(known: Property, value: Value) -> Value:
    if not isinstance(value, str):
        return None
    if _WITH_ZONE.fullmatch(value):
        raise NotImitatedError(f"a date with a zone in a body ({known.name})")
    return parse_wall(value)


_FITS: dict[str, Callable[[Property, Value], Value]] = {
    "Edm.String": _text,
    "Edm.Byte": _whole,
    "Edm.Int16": _whole,
    "Edm.Int32": _whole,
    "Edm.Double": _double,
    "Edm.Boolean": _boolean,
    "Edm.Guid": _guid,
    "Edm.DateTime": _date,
    "Edm.Binary": _text,
}

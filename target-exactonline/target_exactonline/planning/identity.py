"""Evidence that two records are of one party, by an entity's identity rule. Pure.

The libraries that know the numbers of all countries are loaded when two values differ as plain text, which in a run
that has nothing to do is never.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from exactonline_client.entities import IdentityRule, Likeness
from exactonline_client.odata import Row

ADDRESS = "address"
"""Name of the evidence that a postcode and a house number give together."""
LEGAL_FORMS = frozenset(
    """
    bv nv vof cv bvba sprl srl sa cvba scrl commv vzw asbl ag gmbh gmbhco mbh ug kg kgaa ohg gbr ek ev eg sarl sas sasu
    eurl sci snc scop ltd limited plc llp llc lp inc incorporated corp corporation company co sl slu sau slne srls spa
    oy ab aps stichting vereniging eenmanszaak maatschap cooperatie cooperatief ua ba fa firma
    """.split()  # noqa: SIM905 - a list of 70 lines
)
"""Of the countries where Exact Online is sold and of their neighbours, in letters alone."""
NOT_DECOMPOSED = str.maketrans({"ø": "o", "đ": "d", "ł": "l", "æ": "ae", "œ": "oe", "þ": "th", "ð": "d"})
NO_LETTERS = re.compile(r"[\W_]+")
POSTCODE_WIDTHS = {"DE": 5, "ES": 5, "FI": 5, "FR": 5, "IT": 5}
"""Digits of the postcodes that may begin with a zero, which spreadsheets take off."""
SHORTEST_PHONE = 6
"""Digits; a shorter number is a placeholder or an extension."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Comparison of what identifies two parties, over what is filled on both sides."""

    names_differ: bool
    agrees: tuple[str, ...]
    differs: tuple[str, ...]


def identifying(rule: IdentityRule | None, values: Row) -> Row:
    """Return what of a party's values says who it is."""
    if rule is None:
        return {}
    names = (rule.name, *rule.evidence, rule.country, rule.postcode, *rule.address_lines, "City")
    return {name: values[name] for name in names if name is not None and values.get(name)}


def evidence(rule: IdentityRule, one: Row, other: Row) -> Evidence:
    """Compare all that identifies two parties."""
    agrees: list[str] = []
    differs: list[str] = []
    for name, agree in _comparisons(rule, one, other):
        (agrees if agree else differs).append(name)
    return Evidence(rule.name in differs, tuple(agrees), tuple(differs))


def plain(value: Any) -> str:
    """Return letters and digits alone, without case and diacritics."""
    text = str(value or "").casefold()
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text).translate(NOT_DECOMPOSED)
        text = "".join(char for char in text if not unicodedata.combining(char))
    return NO_LETTERS.sub("", text)


@lru_cache(maxsize=4096)
def plain_name(name: str) -> str:
    """Return a name without case, punctuation, diacritics and legal form; only a legal form stays as it is."""
    text = re.sub(r"[.'`\u2019]", "", name)  # B.V. is one word
    text = re.sub(r"\b(\w) (?=\w\b)", r"\1", text)  # as is B V
    words = [word for word in map(plain, re.split(r"[\W_]+", text)) if word]
    return "".join(word for word in words if word not in LEGAL_FORMS) or "".join(words)


def normal(likeness: Likeness, value: Any, country: str = "") -> str:
    """Return a value in the one form of all that mean the same; nothing where it can identify nobody.

    Args:
        likeness: How values of its field are compared.
        value: As it is written.
        country: Of the party, which completes a number that names none.
    """
    text = str(value or "")
    return _FORMS[likeness](text, country) if _is_filled(likeness, text) else ""


def country_of(rule: IdentityRule, values: Row) -> str:
    """Return the country of a party in two capitals, or nothing."""
    return str(values.get(rule.country) or "").strip().upper() if rule.country else ""


def postcode(value: Any, country: str = "") -> str:
    """Return a postcode without blanks and without the country before it; nothing for zeros."""
    text = plain(value)
    if not text.strip("0"):
        return ""
    if (dutch := re.fullmatch(r"(?:nl)?(\d{4}[a-z]{2})", text)) is not None:
        return dutch[1]
    number = re.fullmatch(r"(?:[a-z]{1,2})?(\d{4,5})", text)
    return number[1].zfill(POSTCODE_WIDTHS.get(country, 0)) if number is not None else text


def is_valid(value: str, country: str, kind: str = "vat") -> bool | None:
    """Return whether a number passes the check of its own country; None where that has no check."""
    from stdnum import get_cc_module  # noqa: PLC0415 - only when two numbers differ

    prefix, number = _prefixed(value, country)
    module = get_cc_module(_MODULES.get(prefix, prefix.lower()), kind) if len(prefix) == 2 else None
    return None if module is None else bool(module.is_valid(number))


def roles_of(rule: IdentityRule, values: Row) -> frozenset[str] | None:
    """Return the roles that a party has, or None if that is not said."""
    if any(role.field not in values for role in rule.roles):
        return None
    return frozenset(role.name for role in rule.roles if values[role.field] == role.value)


def _comparisons(rule: IdentityRule, one: Row, other: Row) -> Iterator[tuple[str, bool]]:
    """Pairs of a field that is filled on both sides, and whether it agrees."""
    names = plain_name(str(one.get(rule.name) or "")), plain_name(str(other.get(rule.name) or ""))
    if all(names):
        yield rule.name, names[0] == names[1]
    here, there = country_of(rule, one), country_of(rule, other)
    for name, likeness in rule.evidence.items():
        ours, theirs = str(one.get(name) or ""), str(other.get(name) or "")
        if _is_filled(likeness, ours) and _is_filled(likeness, theirs):
            yield name, _alike(likeness, (ours, here or there), (theirs, there or here))
    places = _place(rule, one, here or there), _place(rule, other, there or here)
    if all(places):
        yield ADDRESS, places[0] == places[1]


def _is_filled(likeness: Likeness, value: str) -> bool:
    """Whether a value can identify anybody; zeros and dashes hold a place."""
    if not plain(value).strip("0"):
        return False
    if likeness == "phone":
        return len(re.sub(r"\D", "", value)) >= SHORTEST_PHONE
    return bool(_FORMS[likeness](value, "")) if likeness in {"email", "website"} else True


def _alike(likeness: Likeness, one: tuple[str, str], other: tuple[str, str]) -> bool:
    """Whether two filled values, each with its country, mean the same."""
    if one == other or (likeness in {"number", "vat"} and plain(one[0]) == plain(other[0])):
        return True
    form = _FORMS[likeness]
    return form(*one) == form(*other)


def _place(rule: IdentityRule, values: Row, country: str) -> tuple[str, ...]:
    """Return postcode and house number, or nothing where one of them is missing."""
    code = postcode(values.get(rule.postcode), country) if rule.postcode else ""
    lines = (re.findall(r"\d+", str(values.get(name) or "")) for name in rule.address_lines)
    numbers = next((found for found in lines if found), None)
    return (code, *numbers) if code and numbers else ()


def _number(value: str, country: str) -> str:
    return plain(value).removeprefix(country.lower()).lstrip("0")


@lru_cache(maxsize=4096)
def _vat(value: str, country: str) -> str:
    """Return a VAT number as the country's own rules write it, with the country before it."""
    from stdnum import get_cc_module  # noqa: PLC0415 - only when two numbers differ as text

    prefix, text = _prefixed(value, country)
    module = get_cc_module(_MODULES.get(prefix, prefix.lower()), "vat") if len(prefix) == 2 else None
    if module is None:
        return text
    try:
        return prefix + str(module.compact(text)).removeprefix(prefix)
    except Exception:  # noqa: BLE001 - a number that is none compares as it is written
        return text


def _prefixed(value: str, country: str) -> tuple[str, str]:
    """Return the country that a VAT number names, or its party's, and the number in capitals and digits."""
    text = re.sub(r"[\W_]+", "", value).upper()
    return (text[:2] if text[:2].isalpha() else {"GR": "EL"}.get(country, country)), text


@lru_cache(maxsize=4096)
def _phone(value: str, country: str) -> str:
    """Return a telephone number as it is dialled from abroad, or its digits."""
    import phonenumbers  # noqa: PLC0415 - only when two numbers differ as text

    try:
        number = phonenumbers.parse(value, country or None)
    except phonenumbers.NumberParseException:
        return re.sub(r"\D", "", value)
    return f"{number.country_code}{phonenumbers.national_significant_number(number)}"


def _email(value: str, _: str) -> str:
    return value.strip().casefold() if "@" in value else ""


def _website(value: str, _: str) -> str:
    """Return host and path of an address, however it is written."""
    return re.sub(r"^[a-z]+://|^www\d?\.|(?<=//)www\d?\.|[/?#]+$", "", value.strip().casefold()).removeprefix("www.")


_MODULES = {"EL": "gr", "XI": "gb"}
"""Countries whose VAT numbers begin with something else."""
_FORMS: Mapping[Likeness, Callable[[str, str], str]] = {
    "number": _number,
    "vat": _vat,
    "email": _email,
    "phone": _phone,
    "website": _website,
}

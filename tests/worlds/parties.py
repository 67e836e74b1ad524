"""Parties as the worlds know them: made so that two are obviously one, or obviously two."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

FIELDS = ("Name", "AddressLine1", "Postcode", "City", "Email", "Phone", "VATNumber", "Language")
WATCHED = (*FIELDS, "Blocked", "EndDate")


def party(number: int) -> dict[str, Any]:
    """What identifies a party and tells it from all others."""
    return {
        "Name": f"Firma {number}",
        "AddressLine1": f"Straat {number}",
        "Postcode": f"{1000 + number} AB",
        "City": "Utrecht",
        "Email": f"post@firma{number}.example",
        "Phone": f"030-{2000000 + number}",
        "VATNumber": f"NL{100000000 + number}B01",
        "Language": "NL",
    }


def are_two(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two accounts are of two parties: two VAT numbers under two names, or nothing that agrees."""
    agrees, differs = _evidence(one, other)
    return differs >= {"Name", "VATNumber"} or bool(differs and not agrees)


def has_become_another(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether an account and its copy are of two parties by now: two VAT numbers, two names, nothing that agrees."""
    agrees, differs = _evidence(one, other)
    return differs >= {"Name", "VATNumber"} and not agrees


def _evidence(one: Mapping[str, Any], other: Mapping[str, Any]) -> tuple[set[str], set[str]]:
    agrees, differs = set[str](), set[str]()
    for name in ("Name", "VATNumber", "Email", "Phone"):
        if one.get(name) and other.get(name):
            (agrees if one[name] == other[name] else differs).add(name)
    if _place(one) and _place(other):
        (agrees if _place(one) == _place(other) else differs).add("place")
    return agrees, differs


def _place(values: Mapping[str, Any]) -> tuple[str, ...]:
    numbers = re.findall(r"\d+", values.get("AddressLine1") or "")
    return (values["Postcode"], *numbers) if values.get("Postcode") and numbers else ()

"""Lists of a company, as a bookkeeper would have them; each company gets keys of its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Lists = dict[str, list[dict[str, Any]]]

LISTS: Mapping[str, list[dict[str, Any]]] = {
    "PaymentConditions": [
        {"Code": "30", "Description": "30 dagen", "PaymentDays": 30, "PaymentEndOfMonths": 0, "PaymentMethod": "B"},
        {"Code": "14", "Description": "14 dagen", "PaymentDays": 14, "PaymentEndOfMonths": 0, "PaymentMethod": "B"},
    ],
    "Costcenters": [{"Code": "VERKOOP", "Description": "Verkoop"}],
    "Costunits": [{"Code": "PROJ1", "Description": "Project 1"}],
    "GLAccounts": [
        {"Code": "1500", "Description": "Af te dragen btw", "Type": 24},
        {"Code": "1300", "Description": "Debiteuren", "Type": 20},
        {"Code": "1600", "Description": "Crediteuren", "Type": 22},
        {"Code": "7000", "Description": "Inkoop", "Type": 111},
        {"Code": "8000", "Description": "Omzet", "Type": 110},
    ],
    "VATCodes": [
        {"Code": "2", "Description": "Btw hoog", "Percentage": 0.21, "Type": "E", "VATTransactionType": "B"},
        {"Code": "VN", "Description": "Verlegd", "Percentage": 0.0, "Type": "B", "VATTransactionType": "B"},
    ],
    "AccountClassificationNames": [
        {"SequenceNumber": 1, "Description": "Branche"},
        {"SequenceNumber": 2, "Description": "Regio"},
    ],
    "AccountClassifications": [
        {"AccountClassificationName": 1, "Code": "A", "Description": "Bouw"},
        {"AccountClassificationName": 2, "Code": "A", "Description": "Noord"},
    ],
    "SalesPriceLists": [{"Code": "GROOT", "Description": "Groothandel", "Currency": "EUR", "Type": 1}],
    "ShippingMethods": [{"Code": "PK", "Description": "Pakket", "Active": True}],
    "LeadSources": [{"Code": "WEB", "Description": "Website"}],
    "LeadPurposes": [{"Code": "NW", "Description": "Nieuw"}],
    "Currencies": [{"Code": "EUR", "Description": "Euro"}, {"Code": "USD", "Description": "Dollar"}],
}


def lists_of(*, without: Iterable[tuple[str, str]] = (), changed: Mapping[tuple[str, str], Any] | None = None) -> Lists:
    """The lists of one company, without some entries by list and code, and with others changed."""
    left_out, changed = set(without), changed or {}
    return {
        name: [
            {**row, **changed.get((name, row.get("Code", "")), {})}
            for row in rows
            if (name, row.get("Code")) not in left_out
        ]
        for name, rows in LISTS.items()
    }

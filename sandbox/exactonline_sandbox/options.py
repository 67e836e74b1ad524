"""The numbers and switches of a world; each default is what the dossier calls Exact's own."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any, Literal, TypeVar

_PAGES: Mapping[str, int] = MappingProxyType({"crm": 60, "bulk": 1000, "sync": 1000})
_Options = TypeVar("_Options", "Limits", "Switches")


@dataclass(frozen=True, slots=True)
class Limits:
    """World key `limits`.

    enabled: false lifts minute, day, token and error limits (the headers then tell of a million calls).
    per_minute, per_day: calls per app and division (7.1); minute_seconds, day_seconds: how long those last.
    per_day_contract: calls per app over all divisions (7.1); 0: not limited.
    errors_per_hour, error_hour_seconds: the error rule (7.3).
    token_seconds: life of an access token; a refresh is too early until 30 s before its end (6).
    token_calls_per_day, refresh_token_days, code_seconds: the rest of section 6.
    page_sizes: rows a page on crm, bulk and sync (2.7). deleted_months: how long sync/Deleted remembers (5.4).
    url_characters: longer addresses are rejected (7.1). latency_ms: every answer takes this much longer.
    """

    enabled: bool = True
    per_minute: int = 60
    per_day: int = 5000
    per_day_contract: int = 20_000
    minute_seconds: float = 60
    day_seconds: float = 86_400
    errors_per_hour: int = 10
    error_hour_seconds: float = 3600
    token_seconds: int = 600
    token_calls_per_day: int = 200
    refresh_token_days: float = 30
    code_seconds: int = 180
    page_sizes: Mapping[str, int] = field(default_factory=lambda: _PAGES)
    deleted_months: int = 2
    url_characters: int = 6000
    latency_ms: float = 0


@dataclass(frozen=True, slots=True)
class Switches:
    """World key `switches`: where the sources contradict each other, or nobody knows (dossier 11 and 13).

    mandatory_filter: lists on crm and bulk need a filter (11.1).
    foreign_guid: a guid of another company is refused, or becomes null (11.3). unknown_code: the same for codes.
    ledger_types: a ledger account of a type that does not suit the member is refused, or taken.
    path_case_sensitive: `CRM/accounts` is a 404 (11.5). early_refresh_status: 400 or 401 (11.2).
    expires_in_as (11.4), timestamp_as (11.6): the JSON type. rate_headers_on_429: one family or none (11.7).
    minutely_reset: whether the minute's headers tell when it ends; recorded once, not documented (7.1).
    contract_refusal: a bare 429, one with the day's headers, one whose headers show calls left, or a 403 (7.1).
    long_url_status: the status for an address that is too long (7.1); the body is empty.
    codes: numeric, or any text up to 18 characters (13.3). post_id: an ID in a POST is used or ignored (13.5).
    sent_codes: kept as sent, or padded with zeros to the division's `code_digits` (13.3).
    missing_list_right: a list that the user may not read is a 403, or shows no rows (4.4, E 3.13).

    Of contacts, addresses and bank accounts (E 3.1 to 3.3):
    visit_address: the main visit address is one row with its account, or a row of its own once either changes.
    other_addresses: only that one comes with a new account, or those of the other three types too.
    same_address: a POST looks for an address of its type with the same lines, postcode, city, state and country, or
    with the same first line, postcode, city and country.
    main_siblings: a main row makes the main one before it a common one, or both are main.
    child_changes: the Timestamp of an account stays when what belongs to it changes, or moves.
    deleted_with_account: sync/Deleted has what was deleted with its account, or not.
    bank_number_change: another number in a PUT is refused, or taken.
    repeated_bank_number: a POST of a number that the account has makes another row, or is refused.
    bank_numbers_kept: without blanks, or an IBAN in groups of four.
    missing_bic: stays empty, or follows from the IBAN.
    """

    mandatory_filter: bool = False
    foreign_guid: Literal["refuse", "null"] = "refuse"
    unknown_code: Literal["refuse", "null"] = "refuse"
    ledger_types: Literal["checked", "any"] = "checked"
    path_case_sensitive: bool = False
    early_refresh_status: Literal[400, 401] = 400
    expires_in_as: Literal["string", "number"] = "string"
    timestamp_as: Literal["string", "number"] = "string"
    rate_headers_on_429: Literal["one", "none"] = "one"
    minutely_reset: Literal["sent", "missing"] = "sent"
    contract_refusal: Literal["bare", "day_headers", "calls_left", "forbidden"] = "bare"
    long_url_status: Literal[414, 404, 400] = 414
    codes: Literal["numeric", "any"] = "numeric"
    post_id: Literal["use", "ignore"] = "use"
    sent_codes: Literal["kept", "padded"] = "kept"
    missing_list_right: Literal["forbidden", "no_rows"] = "forbidden"
    visit_address: Literal["one_row", "two_rows"] = "one_row"
    other_addresses: Literal["none", "made"] = "none"
    same_address: Literal["whole", "first_line"] = "whole"
    main_siblings: Literal["reset", "kept"] = "reset"
    child_changes: Literal["account_stays", "account_moves"] = "account_stays"
    deleted_with_account: Literal["logged", "silent"] = "logged"
    bank_number_change: Literal["refused", "taken"] = "refused"
    repeated_bank_number: Literal["taken", "refused"] = "taken"
    bank_numbers_kept: Literal["compact", "grouped"] = "compact"
    missing_bic: Literal["stays", "derived"] = "stays"


_CHOICES: dict[str, set[Any]] = {
    "foreign_guid": {"refuse", "null"},
    "unknown_code": {"refuse", "null"},
    "ledger_types": {"checked", "any"},
    "early_refresh_status": {400, 401},
    "expires_in_as": {"string", "number"},
    "timestamp_as": {"string", "number"},
    "rate_headers_on_429": {"one", "none"},
    "minutely_reset": {"sent", "missing"},
    "contract_refusal": {"bare", "day_headers", "calls_left", "forbidden"},
    "long_url_status": {414, 404, 400},
    "codes": {"numeric", "any"},
    "post_id": {"use", "ignore"},
    "sent_codes": {"kept", "padded"},
    "missing_list_right": {"forbidden", "no_rows"},
    "visit_address": {"one_row", "two_rows"},
    "other_addresses": {"none", "made"},
    "same_address": {"whole", "first_line"},
    "main_siblings": {"reset", "kept"},
    "child_changes": {"account_stays", "account_moves"},
    "deleted_with_account": {"logged", "silent"},
    "bank_number_change": {"refused", "taken"},
    "repeated_bank_number": {"taken", "refused"},
    "bank_numbers_kept": {"compact", "grouped"},
    "missing_bic": {"stays", "derived"},
}


def limits_from(given: Mapping[str, Any]) -> Limits:
    """Limits with what a world or a control call names; ValueError for a name that is none."""
    values = dict(given)
    if "page_sizes" in values:
        values["page_sizes"] = MappingProxyType({**_PAGES, **values["page_sizes"]})
    return _checked(Limits, values)


def switches_from(given: Mapping[str, Any]) -> Switches:
    """Switches with what a world or a control call names; ValueError for a name or value that is none."""
    for name, value in given.items():
        if name in _CHOICES and value not in _CHOICES[name]:
            raise ValueError(f"switch {name} is one of {sorted(_CHOICES[name], key=str)}, not {value!r}")
    return _checked(Switches, dict(given))


def _checked(kind: type[_Options], given: dict[str, Any]) -> _Options:
    unknown = given.keys() - {option.name for option in fields(kind)}
    if unknown:
        raise ValueError(f"no {kind.__name__.lower()} called {', '.join(sorted(unknown))}")
    return kind(**given)


LIMIT_NAMES = frozenset(option.name for option in fields(Limits))
SWITCH_NAMES = frozenset(option.name for option in fields(Switches))

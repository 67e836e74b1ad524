"""The demo world: a holding that keeps the customers, and the companies that should have them too."""

import re
from collections.abc import Callable
from typing import Any

from exactonline_sandbox.demo_children import ChildMaker
from exactonline_sandbox.demo_lists import lists_of, refer
from exactonline_sandbox.demo_numbers import Dice
from exactonline_sandbox.demo_parties import PartyMaker

Account = dict[str, Any]

HOLDING = 2000100
NORTH, SOUTH, BELGIUM, GERMANY = OPERATING_COMPANIES = (2000101, 2000102, 2000103, 2000104)
ARCHIVED = 2000105
OUT_OF_REACH = 2000106

CUSTOMERS = 240
FIRST_CODE = 10001
FIRST_OWN_CODE = 90001  # the companies' own parties lie above every code of the holding
COLLISION = (SOUTH, "10017")

# Two customers that Exact must refuse; no company has them yet.
REFUSED = {"10239": {"Email": "jan@@bakker"}, "10240": {"Country": "ZZ"}}

# The other party under the holding's code: the one record that no one may overwrite.
_SHIPYARD: Account = {
    "Name": "Scheepswerf De Drie Gebroeders B.V.",
    "SearchCode": "DRIEGEBR",
    "Status": "C",
    "Language": "NL",
    "Country": "NL",
    "AddressLine1": "Oosterkade 3",
    "Postcode": "4381 ZB",
    "City": "Vlissingen",
    "Phone": "+31 118 55 30 30",
    "Email": "werf@driegebroeders.example",
    "ChamberOfCommerce": "22031977",
    "VATNumber": "NL806233412B01",
}

_POLICY = {"Remarks", "CreditLineSales"}  # what a company decides for itself

# What part of the holding's customers each company has already, and how many parties of its own.
_SHARE_PRESENT = {NORTH: 0.6, SOUTH: 0.35, BELGIUM: 0.2, GERMANY: 0.1}
_OWN_PARTIES = {NORTH: 14, SOUTH: 11, BELGIUM: 9, GERMANY: 6}

_DIVISIONS: tuple[tuple[int, str, str, int], ...] = (
    (HOLDING, "Van der Linden Holding B.V.", "NL", 1),
    (NORTH, "Van der Linden Noord B.V.", "NL", 1),
    (SOUTH, "Van der Linden Zuid B.V.", "NL", 1),
    (BELGIUM, "Van der Linden België NV", "BE", 1),
    (GERMANY, "Van der Linden Süd GmbH", "DE", 1),
    (ARCHIVED, "Van der Linden Textiel B.V. (t/m 2019)", "NL", 2),
    (OUT_OF_REACH, "Van der Linden Personeel B.V.", "NL", 1),  # no user may open it
)

# Whose lists differ from the holding's, and how.
_LISTS_OF = {SOUTH: "south", BELGIUM: "belgium", GERMANY: "germany"}

# Exact's own numbers, but a minute lasts two seconds: a rehearsal runs into the limit and waits as it would
# at Exact, and yet 240 customers for each of four companies take some ten seconds, not four minutes.
_LIMITS = {
    "per_minute": 60,
    "per_day": 5000,
    "minute_seconds": 2,
    "errors_per_hour": 10,
    "token_seconds": 600,
}

_APP = {
    "client_id": "3f0c1f5e-5d6b-4b8e-9a52-6f1d20c7a9b4",
    "client_secret": "demo-secret",
    "redirect_uris": ["https://example.com/callback"],
}

_USER: dict[str, Any] = {
    "name": "Anneke de Vries",
    "email": "anneke.devries@example.com",
    "language": "NL",
    "refresh_token": "demo-refresh-token",
    "authorization_code": "demo-code",
    "current_division": HOLDING,
    "divisions": [HOLDING, *OPERATING_COMPANIES, ARCHIVED],
}


def demo_world(seed: int = 2026) -> dict[str, Any]:
    """A world to rehearse in, in the form `serve --world` reads; the same for the same seed."""
    dice = Dice(seed)
    make = PartyMaker(dice)
    customers = _customers_of_the_holding(dice, make)
    accounts: dict[str, list[Account]] = {str(code): [] for code, *_ in _DIVISIONS}
    accounts[str(HOLDING)] = customers
    for division in OPERATING_COMPANIES:
        own = [make.party(str(FIRST_OWN_CODE + n)) for n in range(_OWN_PARTIES[division])]
        accounts[str(division)] = [*_customers_known_to(division, customers, dice, make), *own]
    accounts[str(ARCHIVED)] = [make.party(str(FIRST_OWN_CODE + n)) for n in range(5)]
    refer(customers, seed)
    belong = ChildMaker(seed)
    children = {str(HOLDING): belong.of_holding([one for one in customers if one["Code"] not in REFUSED])}
    for division in OPERATING_COMPANIES:
        known = accounts[str(division)]
        children[str(division)] = belong.of_company(known, children[str(HOLDING)], customers)
    return {
        "apps": [dict(_APP)],
        "users": [{**_USER, "divisions": list(_USER["divisions"])}],
        "divisions": [
            {"code": code, "description": name, "country": country, "currency": "EUR", "status": status}
            for code, name, country, status in _DIVISIONS
        ],
        "accounts": accounts,
        "lists": {str(code): lists_of(_LISTS_OF.get(code, "holding")) for code, *_ in _DIVISIONS},
        "children": children,
        "limits": dict(_LIMITS),
    }


def _customers_of_the_holding(dice: Dice, make: PartyMaker) -> list[Account]:
    customers = [make.party(str(FIRST_CODE + n)) for n in range(CUSTOMERS)]
    for customer in customers:
        if dice.chance(0.05):  # company policy: stays in the holding
            customer.update(Remarks="Alleen leveren na akkoord directie.", CreditLineSales=25000.0)
        customer.update(REFUSED.get(customer["Code"], {}))
    return customers


def _customers_known_to(division: int, customers: list[Account], dice: Dice, make: PartyMaker) -> list[Account]:
    known = []
    for customer in customers:
        if (division, customer["Code"]) == COLLISION:
            known.append({"Code": customer["Code"], **_SHIPYARD})
        elif customer["Code"] not in REFUSED and dice.chance(_SHARE_PRESENT[division]):
            known.append(_as_known_elsewhere(customer, dice, make))
    return known


def _as_known_elsewhere(customer: Account, dice: Dice, make: PartyMaker) -> Account:
    """The customer as another company holds it: half of the time equal, else out of date in one way."""
    known = {name: value for name, value in customer.items() if name not in _POLICY}
    if dice.chance(0.5):
        known = dice.pick(_WAYS_TO_DIFFER)(known, dice, make)
    if dice.chance(0.05):  # the company's own note, where the holding has none
        known["Remarks"] = "Belt altijd voor levering."
    return known


def _phone_written_otherwise(known: Account, dice: Dice, make: PartyMaker) -> Account:
    return known | {"Phone": re.sub("[ -]", "", known["Phone"])}


def _old_email(known: Account, dice: Dice, make: PartyMaker) -> Account:
    return known | {"Email": f"post{dice.between(1, 99)}@oud-adres.example"}


def _old_address(known: Account, dice: Dice, make: PartyMaker) -> Account:
    return known | make.address_in(known["Country"])


def _name_in_capitals(known: Account, dice: Dice, make: PartyMaker) -> Account:
    return known | {"Name": known["Name"].upper()}


def _incomplete(known: Account, dice: Dice, make: PartyMaker) -> Account:
    return {name: value for name, value in known.items() if name not in {"Phone", "Website"}}


_WAYS_TO_DIFFER: tuple[Callable[[Account, Dice, PartyMaker], Account], ...] = (
    _phone_written_otherwise,
    _old_email,
    _old_address,
    _name_in_capitals,
    _incomplete,
)

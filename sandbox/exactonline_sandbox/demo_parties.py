"""One made-up customer at a time, as Exact would hold it."""

import re
import unicodedata
from typing import Any

from exactonline_sandbox import demo_numbers
from exactonline_sandbox.demo_numbers import Dice
from exactonline_sandbox.demo_words import (
    FLANDERS,
    GERMANY,
    NETHERLANDS,
    WALLONIA,
    LegalKind,
    Region,
    Town,
)

# Of ten customers of a Dutch holding: six Dutch, two Belgian (one speaks French), two German.
_REGIONS = (NETHERLANDS,) * 6 + (FLANDERS, WALLONIA) + (GERMANY,) * 2

_LONGEST_NAME = 50  # a third-party client's schema says so; not documented by Exact
_TRANSLITERATIONS = str.maketrans({"ß": "ss", "œ": "oe", "ä": "ae", "ö": "oe", "ü": "ue"})


class PartyMaker:
    """Draws parties that differ in name, from one pair of dice."""

    def __init__(self, dice: Dice) -> None:
        self._dice = dice
        self._names_given: set[str] = set()

    def party(self, code: str) -> dict[str, Any]:
        """One account with this code: who it is, where it is, and the numbers it is known by."""
        dice = self._dice
        region = dice.pick(_REGIONS)
        town = dice.pick(region.towns)
        name, kind = self._unused_name(region, town)
        account = {"Code": code, "Name": name, "SearchCode": search_code(name), **self._role()}
        account |= {"Language": region.language, "Country": region.country}
        account |= self._address(region, town)
        account |= self._reachable_at(region, town, name)
        account |= self._registrations(region, kind)
        if dice.chance(0.6):
            year, month, day = dice.between(1958, 2024), dice.between(1, 12), dice.between(1, 28)
            account["EstablishedDate"] = f"{year}-{month:02}-{day:02}"
        if region.country == "DE" and dice.chance(0.5):
            account |= {"IncotermCodeSales": dice.pick(("DAP", "EXW", "FCA")), "IncotermVersionSales": 2020}
            account["IncotermAddressSales"] = town.name
        return account

    def _unused_name(self, region: Region, town: Town) -> tuple[str, LegalKind]:
        while True:
            shape, kind = self._dice.pick(region.names)
            family, other, third = self._dice.different(region.families, 3)
            trade = self._dice.pick(region.trades)
            name = shape.format(family=family, other=other, third=third, trade=trade, town=town.name)
            name = name[0].upper() + name[1:]
            if name not in self._names_given and len(name) <= _LONGEST_NAME:
                self._names_given.add(name)
                return name, kind

    def _role(self) -> dict[str, Any]:
        status = self._dice.pick("CCCCCCCCCCCCPPSA")
        return {"Status": status, "IsSupplier": status == "A" or self._dice.chance(0.1)}

    def address_in(self, country: str) -> dict[str, Any]:
        """Some address in that country."""
        region = self._dice.pick([region for region in _REGIONS if region.country == country])
        return self._address(region, self._dice.pick(region.towns))

    def _address(self, region: Region, town: Town) -> dict[str, Any]:
        dice = self._dice
        postcode = dice.pick(town.postcodes)
        if region.country == "NL":
            postcode = demo_numbers.nl_postcode(dice, postcode)
        number = dice.between(1, 240)
        house_number = dice.pick(region.house_numbers).format(number, next=number + 2)
        address: dict[str, Any] = {"AddressLine1": f"{dice.pick(region.streets)} {house_number}"}
        if dice.chance(0.15):
            address["AddressLine2"] = dice.pick(region.second_lines)
        address |= {"Postcode": postcode, "City": town.name}
        if dice.chance(0.3):
            address["Latitude"] = round(town.latitude + dice.between(-400, 400) / 10_000, 4)
            address["Longitude"] = round(town.longitude + dice.between(-400, 400) / 10_000, 4)
        return address

    def _reachable_at(self, region: Region, town: Town, name: str) -> dict[str, Any]:
        dice = self._dice
        domain = f"{domain_label(name)}.example"
        reachable = {"Phone": phone(dice, region.calling_code, town.dialling_code)}
        if dice.chance(0.9):
            reachable["Email"] = f"{dice.pick(region.mailboxes)}@{domain}"
        if dice.chance(0.7):
            reachable["Website"] = f"https://www.{domain}"
        return reachable

    def _registrations(self, region: Region, kind: LegalKind) -> dict[str, Any]:
        dice = self._dice
        if region.country == "DE":
            register_number = f"{kind} {dice.between(1_000, 249_999)}"
            return {"ChamberOfCommerce": register_number, "VATNumber": demo_numbers.de_vat(dice)}
        if region.country == "BE":
            number = demo_numbers.kbo(dice)
            return {"ChamberOfCommerce": number, "VATNumber": f"BE{number}"} | self._peppol(208, number)
        number = demo_numbers.kvk(dice)
        if kind == "sole trader":
            return {"ChamberOfCommerce": number, "VATNumber": demo_numbers.nl_vat_of_sole_trader(dice)}
        fiscal_number = demo_numbers.rsin(dice)
        vat_number = demo_numbers.nl_vat_of_company(fiscal_number)
        registrations = {"ChamberOfCommerce": number, "VATNumber": vat_number, "RSIN": fiscal_number}
        return registrations | self._peppol(106, number)

    def _peppol(self, scheme: int, number: str) -> dict[str, Any]:
        # 0106 is the Dutch and 0208 the Belgian trade register in Peppol's own list of schemes. That Exact
        # numbers its PeppolIdentifierType by that list is a guess: its values are not documented.
        if not self._dice.chance(0.25):
            return {}
        return {"PeppolIdentifier": f"{scheme:04}:{number}", "PeppolIdentifierType": scheme}


def phone(dice: Dice, calling_code: str, dialling_code: str) -> str:
    """A phone number in one of the ways in which people write them, at most 17 characters."""
    subscriber = f"55{dice.digits(5 if len(dialling_code) == 1 or calling_code == '31' else 4)}"
    subscriber = subscriber[: 9 - len(dialling_code)] if calling_code == "31" else subscriber
    if dice.chance(0.25):
        return f"0{dialling_code}-{subscriber}"
    head, pairs = subscriber[:-4], f"{subscriber[-4:-2]} {subscriber[-2:]}"
    return f"+{calling_code} {dialling_code} {head} {pairs}"


def ascii_letters(text: str) -> str:
    """The text in plain lower-case letters: `Müller` as `mueller`, `Crèvecœur` as `crevecoeur`."""
    plain = unicodedata.normalize("NFKD", text.lower().translate(_TRANSLITERATIONS))
    return plain.encode("ascii", "ignore").decode()


def domain_label(name: str) -> str:
    """The name as it would stand in a web address."""
    return re.sub(r"[^a-z0-9]+", "-", ascii_letters(name).replace(".", "")).strip("-")


def search_code(name: str) -> str:
    """The short key by which bookkeepers find a party: nine capitals at most."""
    return re.sub(r"[^a-z0-9]", "", ascii_letters(name)).upper()[:9]

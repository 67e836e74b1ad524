"""The demo world's contacts, addresses and bank accounts: the holding's, and those that its companies have already.

Among them are two people of one name at one customer (10005), a person who was anonymised (10008), a bank account that
another replaced (10011), a number that is no IBAN (10014) and the address of a warehouse, which has no account.
"""

from typing import Any

from exactonline_sandbox.demo_numbers import Dice, iban
from exactonline_sandbox.demo_parties import PartyMaker, ascii_letters, domain_label, phone
from exactonline_sandbox.demo_words import FLANDERS, GERMANY, NETHERLANDS, WALLONIA

Row = dict[str, Any]
Rows = list[Row]
Children = dict[str, Rows]

_REGIONS = {(region.country, region.language): region for region in (NETHERLANDS, FLANDERS, WALLONIA, GERMANY)}
_FIRST_NAMES = {
    "NL": (("Anna", "V"), ("Bram", "M"), ("Ewa", "V"), ("Joost", "M"), ("Lotte", "V"), ("Ömer", "M"), ("Sanne", "V")),
    "FR": (("Chloé", "V"), ("Émile", "M"), ("Hélène", "V"), ("Luc", "M")),
    "DE": (("Grete", "V"), ("Jürgen", "M"), ("Käthe", "V"), ("Uwe", "M")),
}
_JOBS = {
    "NL": ("Directeur", "Inkoper", "Administratie", "Magazijnbeheerder"),
    "FR": ("Gérant", "Comptable", "Acheteuse"),
    "DE": ("Geschäftsführer", "Buchhaltung", "Einkauf"),
}
_POSTAL, _INVOICE, _DELIVERY = 2, 3, 4
_SHARE_KNOWN = 0.6  # of what belongs to a customer that a company knows
_WAREHOUSE = "7c0f3d52-6b1e-4f0a-9d8e-2a4b6c8d0e1f"


class ChildMaker:
    """Draws what belongs to customers, from dice of its own so that the customers stay as they are."""

    def __init__(self, seed: int) -> None:
        self._dice = Dice(seed + 1)
        self._parties = PartyMaker(self._dice)

    def of_holding(self, customers: Rows) -> Children:
        """What belongs to the customers of the holding: one or two people each, some addresses, a bank account."""
        made: Children = {"Contacts": [], "Addresses": [], "BankAccounts": []}
        for customer in customers:
            people = self._dice.pick((1, 1, 1, 2, 2, 0))
            made["Contacts"] += [self.contact(customer) for _ in range(people)]
            made["Addresses"] += self._addresses(customer)
            if self._dice.chance(0.9):
                made["BankAccounts"].append(self._bank_account(customer))
        by_code = {customer["Code"]: customer for customer in customers}
        self._add_what_is_instructive(by_code, made)
        return made

    def of_company(self, known: Rows, holding: Children, customers: Rows) -> Children:
        """Part of that for the customers a company knows, half of it out of date, and people of its own parties."""
        codes = {account["Code"] for account in known}
        of_holding = {customer["Code"]: customer["ChamberOfCommerce"] for customer in customers}
        shared = {one["Code"] for one in known if of_holding.get(one["Code"]) == one["ChamberOfCommerce"]}
        made = {
            entity: [
                self._as_known_elsewhere(entity, row)
                for row in rows
                if row.get("Account") in shared and self._dice.chance(_SHARE_KNOWN)
            ]
            for entity, rows in holding.items()
        }
        own = [account for account in known if account["Code"] in codes - shared]
        made["Contacts"] += [self.contact(account) for account in own]
        return made

    def contact(self, account: Row) -> Row:
        """A person of an account."""
        dice, region = self._dice, _REGIONS[account["Country"], account["Language"]]
        first, gender = dice.pick(_FIRST_NAMES[region.language])
        family = dice.pick(region.families).split()
        infix = [word for word in family[:-1] if word[0].islower() or word[0] == "'"]
        person: Row = {"Account": account["Code"], "FirstName": first, "LastName": " ".join(family[len(infix) :])}
        if infix:
            person["MiddleName"] = " ".join(infix)
        mailbox = "".join(
            letter for letter in ascii_letters(f"{first}.{family[-1]}") if letter.isalnum() or letter == "."
        )
        person |= {"Gender": gender, "Email": f"{mailbox}@{domain_label(account['Name'])}.example"}
        person["JobTitleDescription"] = dice.pick(_JOBS[region.language])
        if dice.chance(0.6):
            person["Phone"] = phone(dice, region.calling_code, dice.pick(region.towns).dialling_code)
        return person

    def _addresses(self, customer: Row) -> Rows:
        dice = self._dice
        kinds = [kind for kind, share in ((_POSTAL, 0.1), (_INVOICE, 0.2), (_DELIVERY, 0.4)) if dice.chance(share)]
        kinds += [_DELIVERY] if _DELIVERY in kinds and dice.chance(0.25) else []
        return [self._address(customer, kind, main=kind not in kinds[:number]) for number, kind in enumerate(kinds)]

    def _address(self, customer: Row, kind: int, *, main: bool) -> Row:
        place = self._parties.address_in(customer["Country"])
        lines: Row = {
            name: place[name] for name in ("AddressLine1", "AddressLine2", "Postcode", "City") if name in place
        }
        return {"Account": customer["Code"], "Type": kind, "Main": main, "Country": customer["Country"], **lines}

    def _bank_account(self, customer: Row) -> Row:
        number = iban(self._dice, customer["Country"])
        return {
            "Account": customer["Code"],
            "BankAccount": number,
            "BankAccountHolderName": customer["Name"],
            "Main": True,
        }

    def _add_what_is_instructive(self, customers: dict[str, Row], made: Children) -> None:
        namesakes = {"Account": "10005", "FirstName": "Jan", "LastName": "Smit", "Gender": "M"}
        domain = f"{domain_label(customers['10005']['Name'])}.example"
        made["Contacts"] += [{**namesakes, "Email": f"{mailbox}@{domain}"} for mailbox in ("jan.smit", "jan.smit.jr")]
        made["Contacts"].append({"Account": "10008", "LastName": "Anonymous", "IsAnonymised": 1})
        old, new = (self._bank_account(customers["10011"]) for _ in range(2))
        others = [row for row in made["BankAccounts"] if row["Account"] != "10011"]
        replaced = {**old, "Main": False, "Blocked": True, "Description": "Vervallen"}
        made["BankAccounts"] = [*others, replaced, new]
        french = {
            "Account": "10014",
            "BankAccount": "300040000300010",
            "Main": False,
            "Description": "Rekening Frankrijk",
        }
        made["BankAccounts"].append(french)
        shed = {"Type": _DELIVERY, "Main": False, "AddressLine1": "Loods 2", "City": "Rotterdam", "Country": "NL"}
        made["Addresses"].append({**shed, "Warehouse": _WAREHOUSE})

    def _as_known_elsewhere(self, entity: str, row: Row) -> Row:
        if not self._dice.chance(0.5):
            return dict(row)
        match entity:
            case "Contacts":
                return {**row, "JobTitleDescription": "Stagiair", "Phone": None}
            case "Addresses":
                return {**row, "AddressLine2": "Achterom"}
            case _:
                return {**row, "BankAccountHolderName": row.get("BankAccountHolderName", "").upper() or None}

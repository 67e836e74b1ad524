"""Companies that lived apart for years: one list of customers, and what became of it in each, with the truth.

Of the customers of the source a company has 60 in 100 under another code, 15 with a slip of the keys in name or VAT
number too, 5 twice, and 5 whose code is another party's there; the rest it does not know. The numbers are made up and
pass the checks of their countries.
"""

from __future__ import annotations

import string
from dataclasses import dataclass, field
from random import Random
from typing import Any

from stdnum import luhn
from stdnum.iso7064 import mod_11_10
from stdnum.nl import bsn

Party = dict[str, Any]
SHARES = {"moved": 60, "mistyped": 15, "double": 5, "other": 5, "new": 15}
"""Of a hundred customers of the source, in a company."""
SURNAMES = """
    Jansen Bakker Visser Smit Meijer Mulder Bos Vos Peters Hendriks Dekker Brouwer Dijkstra Koster Prins Huisman Post
    Kuiper Veenstra Kramer Wolters Schouten Willems Hoekstra Molenaar Verhoeven Claes Maes Wouters Goossens De_Smet
    Weber Schäfer Müller Krüger Lefèvre Dubois Moreau Girard Søndergård
""".split()  # noqa: SIM905
TRADES = """
    Transport Bouw Installatie Schilders Advies Beheer Bloemen Techniek Logistiek Media Kantoor Vastgoed Interieur
    Horeca Groothandel Metaal Verhuur Textiel Catering Tuinen
""".split()  # noqa: SIM905
TOWNS = {
    "NL": [("3511", "Utrecht"), ("2511", "Den Haag"), ("5211", "Den Bosch"), ("9711", "Groningen"), ("6711", "Ede")],
    "BE": [("2000", "Antwerpen"), ("1000", "Brussel"), ("9000", "Gent"), ("4000", "Luik")],
    "DE": [("01067", "Dresden"), ("50667", "Köln"), ("80331", "München")],
    "FR": [("75001", "Paris"), ("59000", "Lille"), ("06000", "Nice")],
}
OTHER_NAMES = {"Den Haag": "'s-Gravenhage", "Den Bosch": "'s-Hertogenbosch", "Brussel": "Bruxelles", "Gent": "Gand"}
FORMS = {
    "NL": ("B.V.", "BV", "b.v.", "VOF", ""),
    "BE": ("BVBA", "BV", "NV", "N.V.", ""),
    "DE": ("GmbH", "GmbH & Co. KG", "AG"),
    "FR": ("SARL", "S.A.R.L.", "SAS"),
}
STREETS = ("Dorpsstraat", "Kerkstraat", "Stationsweg", "Molenlaan", "Markt", "Havenkade")


@dataclass
class GrownApart:
    """What one company holds, and the truth about it."""

    rows: list[Party]
    truth: dict[str, set[str]]
    """Code at the source → codes of the rows that are the same party; none where the company does not know it."""
    fates: dict[str, str]
    """Code at the source → what became of the customer here."""


@dataclass
class MatchingWorld:
    """A list of customers and the companies that it grew apart in."""

    source: list[Party]
    companies: list[GrownApart] = field(default_factory=list)


def matching_world(seed: int, companies: int = 10, customers: int = 800) -> MatchingWorld:
    """Return a world; the same for the same numbers."""
    draw = Random(seed)  # noqa: S311 - no secret
    source = [_party(draw, str(10000 + number)) for number in range(customers)]
    _join_in_unities(draw, source)
    return MatchingWorld(source, [_grown(draw, source) for _ in range(companies)])


def _party(draw: Random, code: str) -> Party:
    country = draw.choices(("NL", "BE", "DE", "FR"), (80, 10, 6, 4))[0]
    postcode, city = draw.choice(TOWNS[country])
    if country == "NL":
        postcode = f"{postcode} {''.join(draw.choices('ABCDEGHJKLMNPRSTVWXZ', k=2))}"
    surname = draw.choice(SURNAMES).replace("_", " ")
    is_person = draw.random() < 0.08
    name = f"{draw.choice('ABCDEFGHJKLMNPRSTW')}. {surname}" if is_person else f"{surname} {draw.choice(TRADES)}"
    form = "" if is_person else draw.choice(FORMS[country])
    house = draw.randint(1, 250)
    party: Party = {
        "Code": code,
        "Name": f"{name} {form}".strip(),
        "Country": country,
        "Postcode": postcode,
        "City": city,
        "AddressLine1": f"{draw.choice(STREETS)} {house}",
        "Status": "C",
    }
    if draw.random() < 0.8:
        party["Email"] = f"info@{''.join(draw.choices(string.ascii_lowercase, k=9))}.example"
    if draw.random() < 0.7:
        party["Phone"] = f"0{draw.choice(('30', '20', '10', '70'))}-{draw.randint(1000000, 9999999)}"
    if not is_person and draw.random() < 0.93:
        party["VATNumber"] = _vat_number(draw, country)
    if not is_person and country == "NL" and draw.random() < 0.85:
        party["ChamberOfCommerce"] = f"{draw.randint(1000000, 89999999):08}"
    return party


def _vat_number(draw: Random, country: str) -> str:
    if country == "BE":
        number = draw.randint(4000000, 7999999)
        return f"BE0{number}{97 - int(f'0{number}') % 97:02}"
    if country == "DE":
        number = str(draw.randint(10000000, 99999999))
        return f"DE{number}{mod_11_10.calc_check_digit(number)}"
    if country == "FR":
        number = str(draw.randint(30000000, 89999999))
        siren = f"{number}{luhn.calc_check_digit(number)}"
        return f"FR{(12 + 3 * (int(siren) % 97)) % 97:02}{siren}"
    while not bsn.is_valid(number := str(draw.randint(800000000, 869999999))):
        pass
    return f"NL{number}B01"


def _join_in_unities(draw: Random, source: list[Party]) -> None:
    """Let some customers share the VAT number of a fiscal unity with another one, and some an accountant's e-mail."""
    taxed = [party for party in source if party.get("VATNumber", "").startswith("NL")]
    for _ in range(len(source) // 60):
        one, other = draw.sample(taxed, 2)
        other["VATNumber"] = one["VATNumber"]
    for party in draw.sample(source, len(source) // 40):
        party["Email"] = "post@administratie.example"


def _grown(draw: Random, source: list[Party]) -> GrownApart:
    fates = [fate for fate, share in SHARES.items() for _ in range(len(source) * share // 100)]
    fates += ["new"] * (len(source) - len(fates))
    draw.shuffle(fates)
    of_code = dict(zip((party["Code"] for party in source), fates, strict=True))
    codes = _codes(draw, [code for code, fate in of_code.items() if fate != "other"], 3 * len(source))
    company = GrownApart([], {}, of_code)
    for party in source:
        code, fate = party["Code"], of_code[party["Code"]]
        copies = {"moved": 1, "mistyped": 1, "double": 2}.get(fate, 0)
        rows = [{**_as_kept_here(draw, party), "Code": next(codes)} for _ in range(copies)]
        if fate == "mistyped":
            _mistype(draw, rows[0])
        company.truth[code] = {row["Code"] for row in rows}
        company.rows += rows
        if fate == "other":
            company.rows.append(_party(draw, code))
    company.rows += [_party(draw, next(codes)) for _ in range(len(source) // 10)]
    draw.shuffle(company.rows)
    return company


def _codes(draw: Random, of_source: list[str], count: int) -> Any:
    """Return codes to give away: one in ten is another customer's at the source."""
    own = [str(20000 + number) for number in range(count)]
    theirs = draw.sample(of_source, len(of_source) // 10)
    mixed = own[: 9 * len(theirs)] + theirs
    draw.shuffle(mixed)
    return iter(mixed + own[9 * len(theirs) :])


def _as_kept_here(draw: Random, party: Party) -> Party:
    """Return a customer as another bookkeeper wrote it down."""
    row = dict(party)
    for name, share in (("VATNumber", 0.06), ("ChamberOfCommerce", 0.12), ("Email", 0.3), ("Phone", 0.3)):
        if draw.random() < share:
            row.pop(name, None)
    if draw.random() < 0.25:
        row["Email"] = f"administratie@{''.join(draw.choices(string.ascii_lowercase, k=9))}.example"
    if draw.random() < 0.4:
        row["Name"] = _renamed(draw, row["Name"], row["Country"])
    if "VATNumber" in row:
        row["VATNumber"] = _rewritten(draw, row["VATNumber"])
    if draw.random() < 0.4:
        row["Postcode"] = draw.choice((row["Postcode"].replace(" ", ""), f"{row['Country']}-{row['Postcode']}"))
    if draw.random() < 0.3:
        row["City"] = OTHER_NAMES.get(row["City"], row["City"].upper())
    if draw.random() < 0.05:  # moved house, which only one of the two knows
        row["Postcode"], row["City"] = draw.choice(TOWNS[row["Country"]])
        row["AddressLine1"] = f"{draw.choice(STREETS)} {draw.randint(1, 250)}"
    return row


def _renamed(draw: Random, name: str, country: str) -> str:
    bare = name
    for form in sorted(FORMS[country], key=len, reverse=True):
        bare = bare.removesuffix(f" {form}") if form else bare
    return draw.choice((bare, bare.upper(), f"{bare} {draw.choice(FORMS[country])}".strip(), bare.replace(" ", "-")))


def _rewritten(draw: Random, number: str) -> str:
    prefix, rest = number[:2], number[2:]
    return draw.choice((number, number.lower(), f"{prefix} {rest[:3]}.{rest[3:6]}.{rest[6:]}", rest))


def _mistype(draw: Random, row: Party) -> None:
    name = draw.choice(["Name", "VATNumber"]) if row.get("VATNumber") else "Name"
    row[name] = _slip(draw, row[name], string.digits if name == "VATNumber" else string.ascii_lowercase)


def _slip(draw: Random, text: str, letters: str) -> str:
    """Return a text with one character wrong, missing or too much, or with two that changed places."""
    places = [at for at in range(1, len(text) - 1) if text[at].lower() in letters]
    if not places:
        return text
    at = draw.choice(places)
    other = draw.choice([letter for letter in letters if letter != text[at]])
    return draw.choice(
        (
            text[:at] + other + text[at + 1 :],
            text[:at] + text[at + 1 :],
            text[:at] + other + text[at:],
            text[: at - 1] + text[at] + text[at - 1] + text[at + 1 :],
        )
    )

"""What Exact's messages mean, by pattern."""

from __future__ import annotations

import pytest
from exactonline_client.error_texts import SAYINGS, Meaning, meaning_of


def meaning(*messages: str, key: str = "7") -> Meaning:
    return meaning_of(messages, key)


@pytest.mark.parametrize(
    "text",
    [
        "Gegeven bestaat reeds.",
        "gegeven bestaat reeds",
        "Data already exists.",
        "Bestaat reeds",
        "Bestaat reeds: Code",
        "Bestaat al: Code",
        "Bestaat reeds: Code: 7",
        "Bestaat reeds: Code [0000007]",
        "Bestaat reeds: 7",
        "Bestaat reeds: Relatiecode",
        "Bestaat reeds: Relatie",
        "Already exists: Code",
        "Already exists: Account code - 7",
        "Moet zijn: Uniek - Code",
        "Must be: Unique - Code",
        "Daten bereits vorhanden.",
        "Donnée déjà existante.",
        "Los datos ya existen.",
        "El código ya existe.",
        "Er bestaat al een relatie met deze code.",
    ],
)
def test_the_bare_form_and_one_that_names_the_code_say_that_the_key_is_taken(text: str) -> None:
    assert meaning(text) is Meaning.EXISTS


@pytest.mark.parametrize(
    "text",
    [
        "Bestaat reeds: Btw-nummer",
        "Bestaat reeds: Mandaat referentie",
        "Bestaat reeds: Btw-code",
        "Bestaat reeds: Postcode",
        "Bestaat reeds: Zoekcode",
        "Bestaat reeds: E-mail [7]",
        "Already exists: VAT code",
        "Already exists: Mailbox",
        "Moet zijn: Uniek - Artikel, Valuta",
        "Die E-Mail-Adresse existiert bereits.",
        "Bestaat reeds: Code [8]",
    ],
)
def test_something_else_that_exists_is_a_verdict_on_the_record(text: str) -> None:
    assert meaning(text) is Meaning.INVALID


@pytest.mark.parametrize(
    "text",
    [
        "Verplicht: Naam",
        "Mandatory: Name",
        "Required: Name",
        "Ongeldig: Email",
        "Ongeldig: Klant (Type)",
        "Invalid: Email [] (English) [500]",
        "Invalid reference: Payment condition",
        "Ongeldige referentie: Betalingsconditie",
        "Onbekend: Land",
        "Unknown: Fiscal year (2031)",
        "In gebruik: Relatie",
        "In use: Account",
        "Moet zijn: Groter dan 0",
        "Must be: Greater than 0",
        "Te lang: Naam",
        "Too long: Name",
        "Niet toegestaan: Wijzigen",
        "Niet toegestaan om te verwijderen",
        "Not allowed: Delete",
        "Niet herkende GUID-indeling.",
        "Periode is afgesloten: 2025 - 12",
    ],
)
def test_a_text_that_names_what_is_wrong_is_a_verdict_on_the_record(text: str) -> None:
    assert meaning(text) is Meaning.INVALID


@pytest.mark.parametrize(
    "text",
    ["Ongeldig: Divisie", "Invalid: Division", "Bestaat reeds: Ongeldig: Divisie", "Onbekend: Administratie."],
)
def test_a_text_that_names_the_company_is_about_the_company(text: str) -> None:
    assert meaning(text) is Meaning.COMPANY


def test_a_field_that_is_called_after_the_company_is_not_the_company() -> None:
    assert meaning("Ongeldig: Divisie van de medewerker") is Meaning.INVALID


@pytest.mark.parametrize(
    "text",
    [
        "A problem has occurred. The cause of this issue will be investigated as soon as possible.",
        "Er is een fout opgetreden.",
        "Object reference not set to an instance of an object.",
        "De objectverwijzing is niet op een exemplaar van een object ingesteld.",
        "Der Objektverweis wurde nicht auf eine Objektinstanz festgelegt.",
        "La référence d'objet n'est pas définie à une instance d'un objet.",
        "Time-out verlopen. De time-outperiode is verstreken voordat de bewerking was voltooid.",
        "Timeout expired. The timeout period elapsed prior to completion of the operation.",
        "Transaction (Process ID 52) was deadlocked on lock resources with another process.",
    ],
)
def test_exact_s_own_fault_is_told_from_a_verdict(text: str) -> None:
    assert meaning(text) is Meaning.FAULT


@pytest.mark.parametrize(
    "text",
    [
        "Valeur non autorisée.",
        "Ungültig: E-Mail",
        "Obligatorio: Nombre",
        "Codice già in uso.",
        "Unknown error",
        "Invalid operation. The connection is closed.",
        "?",
    ],
)
def test_a_text_of_no_known_pattern_is_no_verdict_at_all(text: str) -> None:
    assert meaning(text) is Meaning.UNKNOWN


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        (("Gegeven bestaat reeds.", "Ongeldig: Email"), Meaning.INVALID),
        (("Iets onbegrijpelijks", "Verplicht: Naam"), Meaning.INVALID),
        (("Verplicht: Naam", "Er is een fout opgetreden."), Meaning.FAULT),
        (("Verplicht: Naam", "Ongeldig: Divisie"), Meaning.COMPANY),
        ((), Meaning.UNKNOWN),
    ],
)
def test_of_several_messages_the_weightiest_counts_in_whatever_order(
    messages: tuple[str, ...], expected: Meaning
) -> None:
    assert meaning(*messages) is meaning(*reversed(messages)) is expected


def test_every_pattern_says_where_it_comes_from_and_how_sure_it_is() -> None:
    assert all(saying.source and saying.language and saying.confidence for saying in SAYINGS)

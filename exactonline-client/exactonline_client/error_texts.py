"""Exact's error messages, and what each means: patterns by language, with their sources. Pure.

Exact answers business errors as HTTP 500 in the language of the user, like real faults, so they are told apart by
pattern. A text that matches none is no verdict on anything.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Literal

Confidence = Literal["quoted", "inferred", "guess"]


class Meaning(Enum):
    """What a text says. In order of weight: where several messages come in one answer, the first of these counts."""

    FAULT = auto()
    """Exact itself is out of order."""
    COMPANY = auto()
    """The company in the path is not accepted."""
    INVALID = auto()
    """A value of the record, or of what it refers to, is not accepted."""
    EXISTS = auto()
    """The natural key is taken."""
    UNKNOWN = auto()


@dataclass(frozen=True, slots=True)
class Saying:
    """A pattern of texts that mean one thing."""

    means: Meaning
    pattern: re.Pattern[str]
    language: str
    source: str
    confidence: Confidence


def _saying(means: Meaning, pattern: str, language: str, source: str, confidence: Confidence) -> Saying:
    return Saying(means, re.compile(pattern, re.IGNORECASE), language, source, confidence)


_NET = "the .NET Framework's message in that language; Exact shows those of its own faults as they are"
_DOSSIER = "quotes of users in issues and forums"
SAYINGS: tuple[Saying, ...] = (
    # Exact's own faults
    _saying(
        Meaning.FAULT, r"a problem has occurred|the cause of this issue will be", "en", "PICQER issue 91", "quoted"
    ),
    _saying(Meaning.FAULT, r"er is een (probleem|fout) opgetreden", "nl", "translation of the one above", "inferred"),
    _saying(Meaning.FAULT, r"object reference not set", "en", "PICQER issue 91", "quoted"),
    _saying(Meaning.FAULT, r"objectverwijzing is niet op een exemplaar", "nl", _DOSSIER, "quoted"),
    _saying(Meaning.FAULT, r"objektverweis wurde nicht auf eine objektinstanz", "de", _NET, "inferred"),
    _saying(Meaning.FAULT, r"référence d.objet n.est pas définie", "fr", _NET, "inferred"),
    _saying(Meaning.FAULT, r"referencia a objeto no establecida", "es", _NET, "inferred"),
    _saying(Meaning.FAULT, r"time-?out verlopen|time-?outperiode is verstreken", "nl", _DOSSIER, "quoted"),
    _saying(Meaning.FAULT, r"time-?out (period )?(has )?(expired|elapsed)|operation timed out", "en", _NET, "inferred"),
    _saying(Meaning.FAULT, r"timeout (ist )?abgelaufen|zeitlimit", "de", _NET, "inferred"),
    _saying(Meaning.FAULT, r"délai d.(attente|exécution)", "fr", _NET, "inferred"),
    _saying(Meaning.FAULT, r"tiempo de espera", "es", _NET, "inferred"),
    _saying(Meaning.FAULT, r"deadlock", "all", "SQL Server's message; the word stays in translations", "inferred"),
    # The company
    _saying(
        Meaning.COMPANY,
        r"(ongeldige?|onbekende?|niet toegestane?|niet toegestaan)\s*:\s*(divisie|administratie)\W*$",
        "nl",
        "dossier, section 12.1",
        "quoted",
    ),
    _saying(
        Meaning.COMPANY,
        r"(invalid|unknown|not allowed)\s*:\s*(division|company)\W*$|^\s*wrong division",
        "en",
        "translation of the Dutch one; 'Wrong Division' is quoted with 403",
        "inferred",
    ),
    # Verdicts on the record
    _saying(
        Meaning.INVALID,
        r"^\s*(verplicht|ongeldige? ?\w*|onbekende? ?\w*|in gebruik|moet zijn|te lang|te kort|niet toegestaan)\s*:"
        r"|niet herkende guid|periode is afgesloten",
        "nl",
        f"{_DOSSIER}; 'Te lang' and 'Niet toegestaan' by the project's cases",
        "quoted",
    ),
    _saying(Meaning.INVALID, r"^\s*(te lang|te kort|niet toegestaan)\b", "nl", "the same without a colon", "guess"),
    _saying(
        Meaning.INVALID,
        r"^\s*(mandatory|required|invalid|invalid reference|unknown|in use|must be|too long|too short|not allowed)\s*:",
        "en",
        f"{_DOSSIER}; some are translations of the Dutch ones",
        "quoted",
    ),
    _saying(Meaning.INVALID, r"^\s*(too long|too short|not allowed)\b", "en", "the same without a colon", "guess"),
)

# That something exists already: whether it is the natural key follows from what else the text says.
_EXISTS: tuple[Saying, ...] = (
    _saying(Meaning.EXISTS, r"\bbestaat (reeds|al)\b", "nl", "PICQER issues 416 and 432, two clients", "quoted"),
    _saying(Meaning.EXISTS, r"\balready exists?\b|\bdata exists\b", "en", "translation of the Dutch one", "inferred"),
    _saying(Meaning.EXISTS, r"\bmoet zijn\s*:\s*uniek\b", "nl", _DOSSIER, "quoted"),
    _saying(Meaning.EXISTS, r"\bmust be\s*:\s*unique\b", "en", "translation of the Dutch one", "inferred"),
    _saying(Meaning.EXISTS, r"\b(sind |ist )?bereits vorhanden\b|\bexistier(t|en) bereits\b", "de", "none", "guess"),
    _saying(Meaning.EXISTS, r"\bdéjà existante?s?\b|\bexistent? déjà\b", "fr", "none", "guess"),
    _saying(Meaning.EXISTS, r"\bya existen?\b", "es", "none", "guess"),
)
_FILLERS = re.compile(
    r"\b(gegevens?|data|daten|données?|datos|de|het|een|er|met|deze?|is|are|the|an?|with|this|der|die|das|la|le|les|los"
    r"|las|el)\b",
    re.IGNORECASE,
)
"""What a text of the bare form may say beside that something exists."""
_THE_KEY = re.compile(
    r"((account|relatie|klant|debiteuren?|customer|debtor|konto|client|cliente)[ -]?)?"
    r"(code|nummer|number|código|numéro|key|sleutel)|account|relatie|klant|customer",
    re.IGNORECASE,
)
"""Names of an account's code, and of the account itself. Only whole: a 'Btw-code' or 'Postcode' is another field."""
_VALUE = re.compile(r"[\[(=:'\"-]\s*([^\])'\"]*?)\s*[\])'\"]?\s*$")

_REFERENCE = re.compile(
    r"ongeldige?\s+ref|onbekende?\s+ref|invalid\s+ref|unknown\s+ref|ungültige\w*\s+(ref|verweis)"
    r"|référence\s+(invalide|non valide)|referencia\s+(no válida|inválida)|ongeldig\s*:\s*grootboek",
    re.IGNORECASE,
)
"""That a reference is not accepted (Dutch: quoted, entities 3.15; the other languages are guesses)."""
_LISTS = {
    "payment_conditions": r"betalingsconditie|payment condition|zahlungsbedingung|condition de paiement",
    "vat_codes": r"\bbtw|\bvat\b|\btva\b|umsatzsteuer|\biva\b",
    "gl_accounts": r"grootboek|ledger|\bg/?l\b|sachkonto",
    "account_classifications": r"classifica",
    "price_lists": r"prijslijst|price list|preisliste",
    "shipping_methods": r"verzend|leverings?wijze|shipping",
    "lead_sources": r"bron|lead source",
    "lead_purposes": r"doel|lead purpose",
    "currencies": r"valuta|currency|währung|devise",
    "users": r"manager|gebruiker|user",
    "accounts": r"relatie|hoofd|parent|wederverkoper|reseller|accountant|factuur voor|invoice",
}
"""What the list is called in texts: the first two are quoted, the others are Exact's own names or guesses."""


def lists_named(text: str) -> list[str] | None:
    """Return the lists that a refusal of a reference names, by stream; none if it names none; None for another text."""
    if not _REFERENCE.search(text):
        return None
    return [stream for stream, words in _LISTS.items() if re.search(words, text, re.IGNORECASE)]


def meaning_of(messages: Sequence[str], key: str = "") -> Meaning:
    """Return what the messages of one error answer mean together.

    Args:
        key: Natural key of the record that was sent, which a text may quote.
    """
    return min((_meaning(one, key) for one in messages), key=lambda one: one.value, default=Meaning.UNKNOWN)


def _meaning(text: str, key: str) -> Meaning:
    exists = next((match for saying in _EXISTS if (match := saying.pattern.search(text))), None)
    weightiest = next((saying.means for saying in SAYINGS if saying.pattern.search(text)), Meaning.UNKNOWN)
    if exists is None or weightiest in {Meaning.FAULT, Meaning.COMPANY}:
        return weightiest
    rest = text[: exists.start()] + text[exists.end() :]
    return Meaning.EXISTS if _says_the_key(rest, key) else Meaning.INVALID


def _says_the_key(rest: str, key: str) -> bool:
    """Whether what is said to exist is nothing in particular, or the natural key; not another field."""
    named = " ".join(_FILLERS.sub(" ", rest).split()).strip(" .:;,-!")
    if not named or _is(key, named.strip("'\"[]()")):
        return True
    value = _VALUE.search(named)
    if value and (not value[1] or _is(key, value[1])):
        named = named[: value.start()].rstrip()
    return _THE_KEY.fullmatch(named) is not None


def _is(key: str, text: str) -> bool:
    """Whether a text is this key, also where the company fills it up with zeros."""
    return bool(key) and text.strip().lstrip("0") == key.strip().lstrip("0")

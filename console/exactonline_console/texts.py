"""The page's words, numbers and dates in each language. The catalogues are .po files, read as they are at the start."""

from __future__ import annotations

import gettext
import io
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from functools import cache
from pathlib import Path

from babel.core import Locale, negotiate_locale
from babel.dates import format_datetime, format_timedelta
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, format_percent

LANGUAGES = {"en": "English", "nl": "Nederlands"}
CATALOGUES = Path(__file__).parent / "languages"


def marked(text: str) -> str:
    """The text itself: it is looked up later, where the language is known."""
    return text


class Texts:
    """One language."""

    def __init__(self, language: str, translations: gettext.NullTranslations) -> None:
        self.language = language
        self.translations = translations
        self._locale = Locale.parse("en_GB" if language == "en" else language)

    def __call__(self, text: str, **values: object) -> str:
        """A text in this language, with the values in it."""
        translated = self.translations.gettext(text)
        return translated % values if values else translated

    def number(self, value: float | None) -> str:
        """A number, with the separators of the language."""
        return "" if value is None else format_decimal(value, locale=self._locale)

    def percent(self, share: float) -> str:
        """A share."""
        return format_percent(share, locale=self._locale)

    def moment(self, at: datetime) -> str:
        """A day and a time in UTC, which says so: a browser puts it in the zone of its reader."""
        return format_datetime(at.astimezone(timezone.utc), "d MMM y HH:mm 'UTC'", locale=self._locale)

    def clock(self, at: datetime) -> str:
        """A time of the day, likewise."""
        return format_datetime(at.astimezone(timezone.utc), "HH:mm:ss 'UTC'", locale=self._locale)

    def span(self, span: timedelta | None) -> str:
        """How long, in words."""
        if span is None:
            return ""
        return format_timedelta(span, threshold=1.5, granularity="second", locale=self._locale)


@cache
def texts(language: str) -> Texts:
    """The texts of a language that the page has."""
    file = CATALOGUES / language / "console.po"
    if not file.is_file():
        return Texts(language, gettext.NullTranslations())
    compiled = io.BytesIO()
    with file.open(encoding="utf-8") as source:
        write_mo(compiled, read_po(source, locale=language))
    compiled.seek(0)
    return Texts(language, gettext.GNUTranslations(compiled))


def chosen(wanted: str | None, accepted: str) -> str:
    """The language for a browser: what was chosen before, or what it asks for first of those that there are."""
    if wanted in LANGUAGES:
        return wanted
    return negotiate_locale(_by_weight(accepted), list(LANGUAGES), sep="-") or "en"


def _by_weight(accepted: str) -> Iterable[str]:
    """The languages of an Accept-Language header, the dearest first."""
    weighed = []
    for place, part in enumerate(accepted.split(",")):
        name, _, weight = part.partition(";q=")
        try:
            value = float(weight) if weight else 1.0
        except ValueError:
            value = 0.0
        if name.strip() and value > 0:
            weighed.append((-value, place, name.strip()))
    return [name for _, _, name in sorted(weighed)]

"""Templates in each language, with everything escaped that does not say otherwise."""

from __future__ import annotations

import hashlib
from datetime import datetime, timezone
from functools import cache
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from jinja2.utils import markupsafe  # type: ignore[attr-defined] # what Jinja escapes with

from exactonline_console.labels import GROUPS, WAYS, field_label, outcome_label, shown
from exactonline_console.reasons import waits_for, why
from exactonline_console.texts import LANGUAGES, Texts

Markup = markupsafe.Markup
STATIC = Path(__file__).parent / "static"


class Paper:
    """What pages are written on."""

    def __init__(self) -> None:
        self._environments: dict[str, Environment] = {}

    def write(self, template: str, texts: Texts, **values: Any) -> str:
        """A page."""
        return self._environment(texts).get_template(template).render(values)

    def _environment(self, texts: Texts) -> Environment:
        if texts.language not in self._environments:
            self._environments[texts.language] = _environment(texts)
        return self._environments[texts.language]


def _environment(texts: Texts) -> Environment:
    environment = Environment(
        loader=PackageLoader("exactonline_console"),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.install_gettext_translations(texts.translations, newstyle=True)  # type: ignore[attr-defined] # of i18n
    environment.globals.update(
        language=texts.language,
        languages=LANGUAGES,
        static=static,
        number=texts.number,
        percent=texts.percent,
        moment=lambda at: timed(at, "moment", texts),
        clock=lambda at: timed(at, "clock", texts),
        span=texts.span,
        field_label=lambda name: field_label(name, texts),
        outcome_label=lambda outcome, dry_run: outcome_label(outcome, texts, dry_run=dry_run),
        shown=lambda value: shown(value, texts),
        labelled=lambda names: ", ".join(field_label(name, texts) for name in names),
        group_label=lambda name: texts(GROUPS[name]),
        way_label=lambda name: texts(WAYS[name]),
        card=card,
        why=lambda kind, reason: why(kind, reason, texts),
        waits_for=lambda said: waits_for(said, texts),
    )
    return environment


def card(site: str, division: int, account: str) -> str:
    """The address of an account's card in Exact itself, as browsers show it there; programs in public use it too."""
    return f"{site}/docs/CRMAccountCard.aspx?_Division_={division}&AccountID=%7b{quote(account)}%7d"


def timed(at: datetime | str | None, form: Literal["moment", "clock"], texts: Texts) -> Markup:
    """An instant as an element that the reader's browser puts in the zone of its reader."""
    try:
        instant = datetime.fromisoformat(at.replace("Z", "+00:00")) if isinstance(at, str) else at
    except ValueError:
        return Markup.escape(at)
    if instant is None:
        return Markup()
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=timezone.utc)
    shown = texts.moment(instant) if form == "moment" else texts.clock(instant)
    return Markup('<time datetime="{}" data-as="{}">{}</time>').format(instant.isoformat(), form, shown)


@cache
def static(name: str) -> str:
    """The address of a kept file, which changes with its content."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={digest}"

"""No secret in a text, however it is spelled there."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from exactonline_client.redaction import Secrets
from hypothesis import given
from hypothesis import strategies as st

SECRET = 'stampNL001.ä first!/+=&"<\\>'
Spelling = Callable[[str], str]


def lower_percent(text: str) -> str:
    first, *others = quote(text, safe="").split("%")
    return "".join([first, *(f"%{part[:2].lower()}{part[2:]}" for part in others)])


def every_byte(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode())


def as_json(text: str) -> str:
    return json.dumps(text)[1:-1]


def as_plain_json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


def with_slashes(text: str) -> str:
    return as_json(text).replace("/", "\\/")


def as_numbers(text: str) -> str:
    return "".join(f"&#{ord(one)};" for one in text)


SPELLINGS: list[Spelling] = [
    str,
    quote,
    quote_plus,
    lower_percent,
    every_byte,
    as_json,
    as_plain_json,
    with_slashes,
    html.escape,
    as_numbers,
]
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["C"], exclude_characters="*"), min_size=6)


@pytest.mark.parametrize("spell", SPELLINGS, ids=lambda spell: spell.__name__)
def test_a_secret_is_hidden_in_every_spelling(spell: Spelling) -> None:
    secrets = Secrets(SECRET)

    assert secrets.redact(f"It said: {spell(SECRET)}, and no more.") == "It said: *****, and no more."


@given(WORDS, st.lists(st.sampled_from(SPELLINGS), max_size=3))
def test_whatever_the_secret_and_whichever_spellings_are_nested_it_is_hidden(
    secret: str, spellings: list[Spelling]
) -> None:
    spelled = secret
    for spell in spellings:
        spelled = spell(spelled)

    shown = Secrets(secret).redact(f"It said [{spelled}].")

    assert spelled not in shown
    assert "*****" in shown


@given(st.text(max_size=60))
def test_a_text_without_a_secret_stays_as_it_is(text: str) -> None:
    assert Secrets("ZZ-never-there-ZZ").redact(text) == text


@given(st.lists(WORDS, min_size=1, max_size=3), st.text(max_size=20))
def test_several_secrets_are_hidden_also_where_they_overlap(secrets: list[str], between: str) -> None:
    shown = Secrets(*secrets).redact(between.join([*secrets, *secrets]))

    assert all(secret not in shown for secret in secrets)


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
@pytest.mark.parametrize("wrap", [str, quote_plus, lambda text: text.rstrip("=")], ids=["plain", "quoted", "unpadded"])
def test_the_header_of_http_basic_is_hidden(encode: Callable[[bytes], bytes], wrap: Spelling) -> None:
    secrets = Secrets()
    secrets.add_login("client-id?", "s3cret~ÿ>")
    header = encode("client-id?:s3cret~ÿ>".encode()).decode()

    assert wrap(header) not in secrets.redact(f"Authorization: Basic {wrap(header)}")

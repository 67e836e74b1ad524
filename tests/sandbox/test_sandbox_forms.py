"""Dossier 4.3 to 4.5: Atom XML for who does not ask for JSON, and the form of errors."""

import xml.etree.ElementTree as ET

from exact_http import Exact
from sandbox_driver import Sandbox, small_world

ACCOUNTS = "100/crm/Accounts"
ATOM = {
    "a": "http://www.w3.org/2005/Atom",
    "d": "http://schemas.microsoft.com/ado/2007/08/dataservices",
    "m": "http://schemas.microsoft.com/ado/2007/08/dataservices/metadata",
}


def test_without_an_accept_header_the_answer_is_atom_with_its_next_link_last(sandbox: Sandbox) -> None:
    sandbox.reset(small_world(61))

    answer = Exact(sandbox).get(ACCOUNTS, {"Accept": "*/*"}, select="Name,Modified,Blocked,Fax")

    feed = ET.fromstring(answer.content)  # noqa: S314 - the sandbox wrote it
    entry = feed.find("a:entry/a:content/m:properties", ATOM)
    assert answer.headers["content-type"].startswith("application/atom+xml")
    assert len(feed.findall("a:entry", ATOM)) == 60
    assert feed.findall("a:link", ATOM)[-1].get("rel") == "next"
    assert feed[-1].get("rel") == "next"
    assert entry is not None
    assert (entry.findtext("d:Blocked", namespaces=ATOM), entry[0].tag) == ("false", f"{{{ATOM['d']}}}Blocked")
    fax = entry.find("d:Fax", ATOM)
    assert fax is not None
    assert fax.get(f"{{{ATOM['m']}}}null") == "true"


def test_padded_text_says_in_atom_that_its_blanks_count(exact: Exact) -> None:
    feed = ET.fromstring(exact.get(ACCOUNTS, {"Accept": "*/*"}, select="Code,Name").content)  # noqa: S314

    space = "{http://www.w3.org/XML/1998/namespace}space"
    codes, names = (feed.findall(f".//d:{name}", ATOM) for name in ("Code", "Name"))
    assert {code.get(space) for code in codes} == {"preserve"}
    assert {name.get(space) for name in names} == {None}
    assert codes[0].text is not None
    assert len(codes[0].text) == 18


def test_an_error_without_json_asked_is_xml(exact: Exact) -> None:
    answer = exact.get(ACCOUNTS, {"Accept": "*/*"}, filter="Nonsense eq 1")

    error = ET.fromstring(answer.content)  # noqa: S314 - the sandbox wrote it
    assert error.findtext("m:message", namespaces=ATOM) == "Bad Request - Error in query syntax."


def test_plain_xml_is_refused(exact: Exact) -> None:
    assert exact.get(ACCOUNTS, {"Accept": "application/xml"}).status_code == 415


def test_error_lines_end_in_cr_lf(exact: Exact) -> None:
    assert b'{\r\n"error": {\r\n"code": ""' in exact.get(ACCOUNTS, filter="x").content

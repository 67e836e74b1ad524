"""Connections: registered, consented, checked, removed, and never showing a secret."""

from __future__ import annotations

import stat
from pathlib import Path

from console_driver import Here, Visitor
from dotenv import dotenv_values
from sandbox_driver import CLIENT_ID, CLIENT_SECRET, REDIRECT_URI, Sandbox

ODD = "a$b'c\"d\\e\\\\f#g ="


def test_a_connection_is_registered_and_consented(visitor: Visitor, sandbox: Sandbox) -> None:
    visitor.connect(sandbox)

    shown = visitor.get("/connections/holding").text
    assert "Anna de Boer" in shown
    assert "Company 201" in shown
    assert "29 days" in shown or "30 days" in shown


def test_secrets_are_in_the_env_file_that_only_its_owner_reads_and_on_no_page(
    visitor: Visitor, folder: Path, sandbox: Sandbox
) -> None:
    visitor.connect(sandbox)

    env = folder / ".env"
    assert dotenv_values(env)["EXACTONLINE_HOLDING_CLIENT_SECRET"] == CLIENT_SECRET
    assert stat.S_IMODE(env.stat().st_mode) == 0o600
    for path in ("/", "/connections", "/connections/holding", "/connections/new", "/history/actions"):
        assert CLIENT_SECRET not in visitor.get(path).text
        assert CLIENT_ID not in visitor.get(path).text


def test_what_people_wrote_in_the_env_file_stays(visitor: Visitor, folder: Path, sandbox: Sandbox) -> None:
    (folder / ".env").write_text("# mine\nTARGET_EXACTONLINE_NULLS=keep # so\n", encoding="utf-8")

    visitor.connect(sandbox)

    assert (folder / ".env").read_text(encoding="utf-8").startswith("# mine\nTARGET_EXACTONLINE_NULLS=keep # so\n")


def test_a_secret_of_odd_characters_is_kept_as_it_is(visitor: Visitor, folder: Path, sandbox: Sandbox) -> None:
    visitor.post(
        "/connections/new",
        name="odd",
        country="NL",
        client_id="an-app",
        client_secret=ODD,
        redirect_uri=REDIRECT_URI,
    )

    assert dotenv_values(folder / ".env")["EXACTONLINE_ODD_CLIENT_SECRET"] == ODD


def test_the_connection_of_the_env_file_is_there_too(visitor: Visitor, folder: Path, sandbox: Sandbox) -> None:
    lines = {"BASE_URL": sandbox.url, "CLIENT_ID": CLIENT_ID, "CLIENT_SECRET": CLIENT_SECRET}
    text = "".join(f"EXACTONLINE_{name}='{value}'\n" for name, value in lines.items())
    (folder / ".env").write_text(text, encoding="utf-8")

    assert sandbox.url in visitor.get("/connections/main").text


def test_the_same_app_is_not_registered_twice(visitor: Visitor, sandbox: Sandbox) -> None:
    visitor.connect(sandbox)

    again = visitor.post(
        "/connections/new",
        name="second",
        country="other",
        address=sandbox.url,
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        redirect_uri=REDIRECT_URI,
    )

    assert again.status_code == 400
    assert "The connection holding has this app" in again.text
    assert CLIENT_SECRET not in again.text


def test_a_wrong_address_is_told_and_what_was_filled_in_stays(visitor: Visitor, sandbox: Sandbox) -> None:
    again = visitor.post(
        "/connections/new",
        name="holding",
        country="other",
        address="http://example.com",
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        redirect_uri=REDIRECT_URI,
    )

    assert again.status_code == 400
    assert "plain http is for a loopback address only" in again.text
    assert f'value="{REDIRECT_URI}"' in again.text


def test_an_address_that_is_not_the_end_of_this_login_is_told(visitor: Visitor, sandbox: Sandbox) -> None:
    visitor.connect(sandbox)
    visitor.post("/connections/holding/consent", redirect_uri=REDIRECT_URI)

    shown = visitor.post("/connections/holding/finish", redirected=f"{REDIRECT_URI}?code=x&state=of-another")

    assert shown.status_code == 400
    assert "That address is the end of another login" in shown.text


def test_who_has_no_terminal_is_told_to_begin_on_the_page(visitor: Visitor, sandbox: Sandbox) -> None:
    visitor.connect(sandbox)

    shown = visitor.post("/connections/holding/finish", redirected=f"{REDIRECT_URI}?code=x&state=y")

    assert "No login is under way" in shown.text
    assert "press Begin below" in shown.text


def test_a_connection_is_removed_with_its_secrets_and_login(
    visitor: Visitor, folder: Path, page: Here, sandbox: Sandbox
) -> None:
    visitor.connect(sandbox)

    visitor.post("/connections/holding/remove")

    assert CLIENT_SECRET not in (folder / ".env").read_text(encoding="utf-8")
    assert "There is none yet" in visitor.get("/connections").text


def test_a_connection_that_a_job_uses_is_not_removed(visitor: Visitor, sandbox: Sandbox) -> None:
    visitor.connect(sandbox)
    visitor.save_job()

    answer = visitor.post("/connections/holding/remove")

    assert "is used by the job customers" in answer.text
    assert "Anna de Boer" in visitor.get("/connections/holding").text


def test_looking_at_a_page_costs_no_call(visitor: Visitor, sandbox: Sandbox) -> None:
    visitor.connect(sandbox)
    sandbox.forget_calls()

    for path in ("/", "/connections", "/connections/holding", "/jobs/new", "/waiting", "/history"):
        assert visitor.get(path).status_code == 200

    assert sandbox.journal() == []

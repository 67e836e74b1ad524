"""Who gets in, and what is turned away: each point tried as an attacker would."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from console_driver import Here, Visitor
from exactonline_client.errors import ConfigurationError
from exactonline_console.security import ANSWER_HEADERS, LARGEST_BODY_BYTES, doors
from exactonline_console.users import Users
from sandbox_driver import Sandbox

PASSWORD = "correct horse battery"
EVERY_ADDRESS = "0.0.0.0"  # noqa: S104 - only judged, never bound to


def logged_in(page: Here, name: str = "anna", password: str = PASSWORD) -> httpx.Response:
    visitor = Visitor(page.url)
    token = re.search(r'name="csrf" value="(\w+)"', visitor.get("/login").text)
    assert token
    form = {"csrf": token[1], "name": name, "password": password}
    return visitor.http.post("/login", data=form, headers={"Origin": page.url})


@pytest.fixture
def guarded(page: Here) -> Here:
    """A page that asks for a password."""
    with page.store() as store:
        Users(store).put("anna", PASSWORD)
    return page


# Foreign pages


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1"])
def test_a_form_of_another_origin_is_turned_away(visitor: Visitor, origin: str) -> None:
    assert visitor.post("/language", language="nl", headers={"Origin": origin}).status_code == 403


def test_a_form_without_origin_that_a_browser_calls_foreign_is_turned_away(visitor: Visitor) -> None:
    form = {"csrf": visitor.token(), "language": "nl"}

    answer = visitor.http.post("/language", data=form, headers={"Sec-Fetch-Site": "cross-site"})

    assert answer.status_code == 403


@pytest.mark.parametrize("token", ["", "x", "0" * 64])
def test_a_form_without_the_token_of_the_session_is_turned_away(visitor: Visitor, folder: Path, token: str) -> None:
    visitor.token()

    answer = visitor.http.post("/connections/new", data={"csrf": token, "name": "x"}, headers={"Origin": visitor.url})

    assert answer.status_code == 403
    assert "EXACTONLINE_X" not in (folder / ".env").read_text(encoding="utf-8")


def test_the_token_of_another_session_does_not_serve(page: Here, visitor: Visitor) -> None:
    anothers = Visitor(page.url).token()
    visitor.token()

    answer = visitor.http.post("/language", data={"csrf": anothers}, headers={"Origin": visitor.url})

    assert answer.status_code == 403


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:80", "localhost"])
def test_a_name_that_points_here_from_elsewhere_is_turned_away(visitor: Visitor, host: str) -> None:
    assert visitor.http.get("/", headers={"Host": host}).status_code == 421


def test_too_large_a_form_is_turned_away(visitor: Visitor) -> None:
    answer = visitor.http.post("/language", content=b"x" * (LARGEST_BODY_BYTES + 1), headers={"Origin": visitor.url})

    assert answer.status_code == 403


# What a browser is told


@pytest.mark.parametrize("path", ["/", "/no-such-page", "/static/style.css", "/static/none.css", "/login"])
def test_every_answer_carries_the_headers_that_keep_a_browser_in_bounds(visitor: Visitor, path: str) -> None:
    answer = visitor.http.get(path)

    assert {name: answer.headers.get(name) for name in ANSWER_HEADERS} == ANSWER_HEADERS
    assert "unsafe" not in answer.headers["content-security-policy"]


def test_no_page_holds_code_or_style_in_itself(visitor: Visitor, sandbox: Sandbox) -> None:
    visitor.connect(sandbox)
    visitor.save_job()

    for path in ("/", "/connections", "/connections/holding", "/connections/new", "/jobs/customers", "/history"):
        html = visitor.get(path).text
        assert not re.search(r"<script(?![^>]* src=)|<style|\sstyle=|\son\w+=|javascript:", html), path
        assert not re.search(r'(?:src|href)="(?:https?:)?//(?!127\.0\.0\.1)', html), path


def test_the_cookie_is_out_of_reach_of_scripts_and_of_other_sites(visitor: Visitor) -> None:
    cookie = visitor.http.get("/").headers["set-cookie"].lower()

    assert "httponly" in cookie
    assert "samesite=lax" in cookie


def test_the_cookie_of_a_page_behind_tls_is_for_tls_only(serve: Callable[..., Here]) -> None:
    page = serve(addresses=("https://console.example.com",))

    answer = httpx.get(page.url, headers={"Host": "console.example.com"})

    assert "secure" in answer.headers["set-cookie"].lower()


# Where it listens


def test_it_does_not_open_to_other_machines_without_a_password_or_a_proxy() -> None:
    with pytest.raises(ConfigurationError, match="add-user"):
        doors(EVERY_ADDRESS, 8066, ("https://console.example.com",))


def test_it_says_that_it_must_know_its_address() -> None:
    with pytest.raises(ConfigurationError, match="--address"):
        doors(EVERY_ADDRESS, 8066, has_users=True)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_on_this_machine_it_opens_without_more(host: str) -> None:
    assert doors(host, 8066).is_local


def test_who_a_proxy_let_in_is_believed_from_that_proxy_only(serve: Callable[..., Here]) -> None:
    page = serve(user_header="X-Forwarded-User", proxies=("127.0.0.1",))
    other = serve(user_header="X-Forwarded-User", proxies=("10.9.9.9",))

    assert "anna" in httpx.get(page.url, headers={"X-Forwarded-User": "anna"}).text
    assert httpx.get(page.url).status_code == 403
    assert httpx.get(other.url, headers={"X-Forwarded-User": "anna"}).status_code == 403


# Passwords


def test_without_the_password_nothing_is_shown(guarded: Here) -> None:
    for path in ("/", "/connections", "/history", "/runs/x/records.csv", "/jobs/customers"):
        answer = httpx.get(guarded.url + path)
        assert (answer.status_code, answer.headers["location"]) == (303, "/login")


def test_the_password_lets_in_and_a_wrong_one_does_not(guarded: Here) -> None:
    assert logged_in(guarded).headers["location"] == "/"
    assert logged_in(guarded, password="wrong").status_code == 401
    assert logged_in(guarded, name="nobody").status_code == 401


def test_a_session_begins_anew_at_login(guarded: Here) -> None:
    visitor = Visitor(guarded.url)
    before = visitor.http.get("/login").cookies["exactonline_session"]

    after = logged_in(guarded).cookies["exactonline_session"]

    assert after != before
    assert httpx.get(guarded.url, cookies={"exactonline_session": before}).status_code == 303


def test_passwords_are_kept_as_argon2_hashes_and_sessions_as_hashes(guarded: Here, folder: Path) -> None:
    session = logged_in(guarded).cookies["exactonline_session"]

    kept = b"".join(file.read_bytes() for file in (folder / ".exactonline").glob("store.db*"))
    assert b"$argon2id$" in kept
    assert PASSWORD.encode() not in kept
    assert session.encode() not in kept


def test_a_short_password_is_refused(guarded: Here) -> None:
    with guarded.store() as store, pytest.raises(ConfigurationError, match="too short"):
        Users(store).put("bob", "short")


def test_a_new_password_ends_the_sessions(guarded: Here) -> None:
    session = logged_in(guarded).cookies["exactonline_session"]
    with guarded.store() as store:
        Users(store).put("anna", "another long password")

    assert httpx.get(guarded.url, cookies={"exactonline_session": session}).status_code == 303


def test_what_is_done_is_noted_with_the_name(guarded: Here) -> None:
    cookie = logged_in(guarded).cookies["exactonline_session"]
    visitor = Visitor(guarded.url, cookies={"exactonline_session": cookie})

    visitor.post(
        "/connections/new", name="x", country="NL", client_id="a", client_secret="s", redirect_uri="https://a.b"
    )

    text = visitor.get("/history/actions").text
    assert re.search(r"anna.*registered the connection.*x", text, re.DOTALL)
    assert PASSWORD not in text


# Tricks in what is typed


@pytest.mark.parametrize("name", ["../../etc/passwd", "a/b", "..", "A", "a" * 41, "a b", "a\nb", "ä"])
def test_a_job_cannot_be_named_like_a_path(visitor: Visitor, sandbox: Sandbox, folder: Path, name: str) -> None:
    visitor.connect(sandbox)

    answer = visitor.save_job(name)

    assert answer.status_code == 400
    assert list(folder.parent.rglob("*.yml")) == [folder / "meltano.yml"]


@pytest.mark.parametrize(
    "path",
    [
        "/jobs/..%2f..%2fmeltano",
        "/runs/..%2f..%2f.env/log",
        "/runs/..%2f..%2f.env/records.csv",
        "/static/..%2f..%2fcommand.py",
        "/static/%2e%2e/app.py",
        "/connections/..%2fx",
    ],
)
def test_a_path_leads_out_of_nothing(visitor: Visitor, path: str) -> None:
    answer = visitor.get(path)

    assert answer.status_code in {400, 404}
    assert "EXACTONLINE_" not in answer.text
    assert "import " not in answer.text


@pytest.mark.parametrize("back", ["//evil.example/", "https://evil.example/", "/\\evil.example", "javascript:alert(1)"])
def test_the_language_leads_to_no_other_site(visitor: Visitor, back: str) -> None:
    form = {"csrf": visitor.token(), "language": "nl", "back": back}

    answer = visitor.http.post("/language", data=form, headers={"Origin": visitor.url})

    assert re.fullmatch(r"/(?![/\\]).*|/", answer.headers["location"])

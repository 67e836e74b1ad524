"""A full disk, a locked store, a missing program: told in words within ten seconds, with nothing left over."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from unittest import mock

import psutil
import pytest
from console_driver import Here, Page, Visitor, make_project, serving
from exactonline_client.errors import ConfigurationError, StoreUnusableError
from exactonline_client.store import Store
from exactonline_console import tables
from exactonline_console.jobs import Job, save
from exactonline_console.pages import history
from exactonline_console.problems import (
    DISK_FULL,
    FILE_WRONG,
    MELTANO_MISSING,
    STORE_AWAY,
    STORE_LOCKED,
    UNKNOWN,
    MeltanoMissingError,
    problem_of,
)
from exactonline_console.project import PATIENCE_SECONDS, Project
from exactonline_console.texts import texts
from target_exactonline.store import tables as target_tables

DUTCH = {"Accept-Language": "nl"}
JOB = Job("customers", ("holding",), 100, (201,), names={100: "A", 201: "B"})


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Page]:
    """The page as a process of its own, over a project with a job."""
    folder = make_project(tmp_path / "project")
    save(Project.at(folder), JOB)
    with serving(folder) as page:
        yield page


@contextmanager
def full_disk(page: Page) -> Iterator[None]:
    """No file of the page's process grows."""
    port = int(page.url.rpartition(":")[2])
    listening = (one for one in psutil.net_connections("tcp") if one.status == psutil.CONN_LISTEN)
    process = psutil.Process(next(one.pid for one in listening if one.laddr.port == port))
    before = process.rlimit(psutil.RLIMIT_FSIZE)
    process.rlimit(psutil.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        process.rlimit(psutil.RLIMIT_FSIZE, before)


def files(folder: Path) -> set[Path]:
    return {
        file for file in folder.rglob("*") if file.is_file() and "-wal" not in file.name and ".lock" not in file.name
    }


NEW = {"name": "x", "country": "NL", "client_id": "a", "client_secret": "a-long-secret", "redirect_uri": "https://a.b"}


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/connections/new", NEW),
        ("/jobs/customers/preview", {}),
        ("/jobs/customers/remove", {}),
    ],
)
def test_a_full_disk_is_told_in_words_and_leaves_no_draft(served: Page, path: str, form: dict[str, str]) -> None:
    visitor = Visitor(served.url, headers=DUTCH)
    visitor.token()
    before, env = files(served.folder), (served.folder / ".env").read_text(encoding="utf-8")

    with full_disk(served):
        answer = visitor.post(path, **form)

    assert answer.status_code == 503
    assert "De schijf is vol" in answer.text
    assert "<main" in answer.text
    assert files(served.folder) - before == set()
    assert (served.folder / ".env").read_text(encoding="utf-8") == env
    assert visitor.get("/").status_code == 200


def test_a_job_that_cannot_be_written_leaves_the_one_before_and_no_draft(page: Here) -> None:
    project = Project.at(page.folder)
    save(project, JOB)
    with (
        mock.patch.object(Path, "replace", side_effect=OSError(errno.ENOSPC, "No space left on device")),
        pytest.raises(OSError, match="No space"),
    ):
        save(project, Job("customers", ("holding",), 100, (202,), names={100: "A", 202: "C"}))

    assert [file.name for file in (page.folder / "meltano.d").iterdir()] == ["customers.yml"]
    assert "201" in (page.folder / "meltano.d" / "customers.yml").read_text(encoding="utf-8")


def test_a_locked_store_is_told_after_a_person_s_patience(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "store.db")) as other:
        url = f"sqlite:///{folder / 'store.db'}"
        with Store.open(url, target_tables.metadata, tables.metadata, patience_seconds=0) as store:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreUnusableError, match="locked") as refusal, store.write():
                pass

    assert problem_of(refusal.value, texts("nl")).sentence.startswith("De opslag is bezet")
    assert PATIENCE_SECONDS <= 10


def test_the_page_waits_for_a_locked_store_no_longer_than_ten_seconds(served: Page) -> None:
    visitor = Visitor(served.url, headers=DUTCH)
    visitor.token()
    with closing(sqlite3.connect(served.folder / ".exactonline" / "store.db")) as other:
        other.execute("BEGIN IMMEDIATE")

        answer = visitor.post("/jobs/customers/preview")  # a minute, as runs wait, would be over this client's patience

        assert answer.status_code == 503
        assert "De opslag is bezet" in answer.text
        assert visitor.get("/").status_code == 200


def test_without_meltano_nothing_is_started_and_the_page_says_so(page: Here) -> None:
    save(Project.at(page.folder), JOB)
    with mock.patch("exactonline_console.project.sys.executable", str(page.folder / "python")):
        answer = Visitor(page.url, headers=DUTCH).post("/jobs/customers/preview")

    assert answer.status_code == 503
    assert "Meltano ontbreekt op deze machine" in answer.text


def test_a_fault_of_the_page_itself_is_told_in_words_and_written_to_its_log(
    page: Here, caplog: pytest.LogCaptureFixture
) -> None:
    with mock.patch.object(history, "page_number", side_effect=ZeroDivisionError("a fault")):
        endpoints = [Visitor(page.url, headers=DUTCH).get(path) for path in ("/history", "/history/actions")]

    assert [answer.status_code for answer in endpoints] == [500, 500]
    assert all("Er ging iets mis" in answer.text and "a fault" not in answer.text for answer in endpoints)
    assert "a fault" in caplog.text


def test_a_part_of_a_page_that_cannot_be_made_leaves_the_part_that_is_there(page: Here) -> None:
    with mock.patch.object(history, "page_number", side_effect=OSError(errno.ENOSPC, "full")):
        answer = Visitor(page.url).get("/history", headers={"HX-Request": "true"})

    assert (answer.status_code, answer.text) == (503, "")


@pytest.mark.parametrize(
    ("error", "sentence", "status"),
    [
        (StoreUnusableError("x", "database is locked"), STORE_LOCKED, 503),
        (StoreUnusableError("x", "canceling statement due to lock timeout"), STORE_LOCKED, 503),
        (StoreUnusableError("x", "database or disk is full"), DISK_FULL, 503),
        (StoreUnusableError("x", "disk I/O error"), DISK_FULL, 503),
        (StoreUnusableError("x", "could not extend file: No space left on device"), DISK_FULL, 503),
        (StoreUnusableError("x", "connection refused."), STORE_AWAY % {"said": "connection refused"}, 503),
        (OSError(errno.ENOSPC, "No space left on device", "/x"), DISK_FULL, 503),
        (PermissionError(errno.EACCES, "No", "/x"), FILE_WRONG % {"file": "/x", "said": "No"}, 503),
        (MeltanoMissingError(""), MELTANO_MISSING, 503),
        (ConfigurationError("Choose."), "Choose.", 400),
        (OSError("strange"), UNKNOWN, 500),
        (KeyError("x"), UNKNOWN, 500),
    ],
)
def test_each_problem_has_its_words(error: Exception, sentence: str, status: int) -> None:
    told = problem_of(error, texts("en"))

    assert (told.sentence, told.status) == (sentence, status)

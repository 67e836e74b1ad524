"""The page as people use it: a project folder, the console's process, and a browser or plain HTTP in front of it."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import uvicorn
import yaml
from command_driver import consent
from exactonline_client.store import Store
from exactonline_console.app import application
from exactonline_console.project import Project
from exactonline_console.security import doors
from meltano_driver import manifest, plugins
from sandbox_driver import CLIENT_ID, CLIENT_SECRET, REDIRECT_URI, Sandbox
from warm_start import BIN

FOREIGN = ("MELTANO_", "TAP_", "TARGET_", "MAPPER_", "EXACTONLINE_")


def make_project(folder: Path) -> Path:
    """The checkout's meltano.yml in a folder of its own, with the programs of this environment."""
    folder.mkdir(parents=True)
    plan = manifest()
    for plugin in plugins(plan):
        if "inherit_from" in plugin:
            continue
        del plugin["pip_url"]
        plugin["executable"] = str(BIN / plugin["executable"])
    (folder / "meltano.yml").write_text(yaml.safe_dump(plan, sort_keys=False), encoding="utf-8")
    return folder


def clean_environment() -> dict[str, str]:
    """This environment without settings of its own."""
    env = {name: text for name, text in os.environ.items() if not name.startswith(FOREIGN)}
    return env | {"MELTANO_CLI_DISABLE_VERSION_CHECK": "1", "MELTANO_SEND_ANONYMOUS_USAGE_STATS": "false"}


class Page:
    """A served page."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        self._options = options
        self.url = ""
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Serve it, at the same address as before if there was one."""
        port = self.url.rpartition(":")[2].rstrip("/") or "0"
        command = [str(BIN / "exactonline-console"), "serve", "--port", port, *self._options]
        self._process = subprocess.Popen(
            command, cwd=self.folder, env=clean_environment(), stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        found = re.search(r"http\S+/", line)
        assert found, line
        self.url = found[0].rstrip("/")

    def kill(self) -> None:
        """End it as a power cut would."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._close()

    def end(self) -> None:
        """End it as Ctrl-C would."""
        if self._process is not None:
            self._process.terminate()
            self._close()

    def _close(self) -> None:
        assert self._process is not None
        self._process.wait(timeout=20)
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._process = None

    def store(self) -> Store:
        """Its store."""
        return Project.at(self.folder).open_store()


@contextmanager
def serving(folder: Path, *options: str) -> Iterator[Page]:
    """A page over a project folder, ended in the end."""
    page = Page(folder, *options)
    page.start()
    try:
        yield page
    finally:
        page.end()


class Here:
    """A page served by a thread of this process, over real HTTP; it is there at once."""

    def __init__(self, folder: Path, url: str, store: Store) -> None:
        self.folder = folder
        self.url = url
        self._store = store

    @contextmanager
    def store(self) -> Iterator[Store]:
        """Its store."""
        yield self._store


@contextmanager
def serving_here(folder: Path, **ways: Any) -> Iterator[Here]:
    """A page over a project folder, ended in the end."""
    project = Project.at(folder)
    with project.open_store() as store, socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        app = application(project, store, doors("127.0.0.1", port, **ways))
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", proxy_headers=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        try:
            yield Here(folder, f"http://127.0.0.1:{port}", store)
        finally:
            server.should_exit = True
            thread.join(timeout=20)


class Visitor:
    """Plain HTTP as a browser would send it."""

    def __init__(self, url: str, **options: Any) -> None:
        self.url = url
        self.http = httpx.Client(base_url=url, timeout=60, **options)

    def get(self, path: str, **options: Any) -> httpx.Response:
        """A page, after all ways to others."""
        return self.http.get(path, follow_redirects=True, **options)

    def token(self) -> str:
        """What forms of this session carry."""
        found = re.search(r'name="csrf" value="(\w+)"', self.get("/connections").text)
        assert found
        return found[1]

    def post(self, path: str, *, headers: dict[str, str] | None = None, **form: Any) -> httpx.Response:
        """Send a form of this session, and follow the way that it leads."""
        data = {"csrf": self.token(), **form}
        return self.http.post(path, data=data, headers={"Origin": self.url, **(headers or {})}, follow_redirects=True)

    def connect(self, sandbox: Sandbox, name: str = "holding") -> None:
        """Register the app of the sandbox and give consent."""
        self.post(
            "/connections/new",
            name=name,
            country="other",
            address=sandbox.url,
            client_id=CLIENT_ID,
            client_secret=CLIENT_SECRET,
            redirect_uri=REDIRECT_URI,
        )
        shown = self.post(f"/connections/{name}/consent", redirect_uri=REDIRECT_URI).text
        found = re.search(r'class="address" href="([^"]+)"', shown)
        assert found, shown
        self.post(f"/connections/{name}/finish", redirected=consent(found[1].replace("&amp;", "&")))

    def save_job(
        self, name: str = "customers", *, source: int = 100, targets: tuple[int, ...] = (201, 202), **more: Any
    ) -> httpx.Response:
        """Save a job."""
        return self.post("/jobs/new", name=name, source=str(source), targets=[str(one) for one in targets], **more)

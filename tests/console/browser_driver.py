"""A browser in front of the page: what a person does, and what axe-core finds wrong for people who see or hear it."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from command_driver import consent
from playwright.sync_api import Browser, BrowserContext, Locator, Page
from sandbox_driver import CLIENT_ID, CLIENT_SECRET, REDIRECT_URI, Sandbox

AXE = Path(__file__).parent / "vendor" / "axe.min.js"
SCREENSHOTS = Path(__file__).parents[2] / "docs" / "screenshots"
NAMES = ("chromium", "chromium-browser", "google-chrome")
PATIENCE_MS = 180_000
NEEDED = "EXACTONLINE_BROWSER_NEEDED"


def chromium() -> str:
    """The browser of this machine; without one the tests are left out, loudly, or fail where one is needed."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        said = "THE PAGE WAS NOT TESTED IN A BROWSER: there is no Chromium. `make browser` installs it."
        if os.environ.get(NEEDED):
            pytest.fail(said)
        pytest.skip(said)
    return found


class Person:
    """Somebody with a browser."""

    def __init__(
        self,
        browser: Browser,
        url: str,
        *,
        language: str = "en-GB",
        width: int = 1200,
        zone: str = "Europe/Amsterdam",
    ) -> None:
        self.url = url
        self.context: BrowserContext = browser.new_context(
            locale=language, viewport={"width": width, "height": 860}, timezone_id=zone
        )
        self.context.set_default_timeout(30_000)
        self.page: Page = self.context.new_page()
        self.complaints: list[str] = []
        self.page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def goes_to(self, path: str) -> None:
        """Open a page."""
        self.page.goto(self.url + path)

    def clicks(self, name: str) -> None:
        """Press a button, or follow a link, by what stands on it."""
        exactly = re.compile(f"^{re.escape(name)}$")
        button = self.page.get_by_role("button", name=exactly)
        (button if button.count() else self.page.get_by_role("link", name=exactly)).first.click()

    def fills(self, **values: str) -> None:
        """Fill in the fields that have these names."""
        for name, value in values.items():
            field: Locator = self.page.locator(f"[name={name}]")
            if field.evaluate("field => field.tagName") == "SELECT":
                field.select_option(value)
            else:
                field.fill(value)

    def connects(self, sandbox: Sandbox) -> None:
        """Register the app and consent, from the start page on."""
        self.goes_to("/connections/new")
        self.fills(
            name="holding",
            country="other",
            address=sandbox.url,
            client_id=CLIENT_ID,
            client_secret=CLIENT_SECRET,
            redirect_uri=REDIRECT_URI,
        )
        self.page.locator("form.card button.primary").click()
        self.page.locator("#consent ~ form button").click()
        address = self.page.locator("a.address").get_attribute("href")
        self.fills(redirected=consent(str(address)))
        self.page.locator("#consent ~ ol button").click()

    def chooses(self, source: int = 100) -> None:
        """Choose the source and all others, and save."""
        self.goes_to("/jobs/new")
        self.fills(source=str(source))
        self.page.locator("[data-tick=all]").click()
        self.page.locator("form.form button.primary").click()

    def sees(self) -> str:
        """All text of the page."""
        return self.page.locator("body").inner_text()

    def waits_for_the_end(self) -> str:
        """Wait until the run of this page is over; answers its sentence."""
        over = self.page.locator(".verdict:not(.running)")
        over.wait_for(timeout=PATIENCE_MS)
        return over.inner_text()

    def keeps_a_picture(self, name: str) -> None:
        """A screenshot for the README, if they are to be made anew."""
        if os.environ.get("EXACTONLINE_SCREENSHOTS"):
            SCREENSHOTS.mkdir(exist_ok=True)
            self.page.screenshot(path=SCREENSHOTS / f"{name}.png", clip={"x": 0, "y": 0, "width": 1200, "height": 860})

    def faults(self) -> list[str]:
        """What axe-core finds wrong on this page that is serious or worse."""
        self.page.evaluate(AXE.read_text(encoding="utf-8"))
        found: dict[str, Any] = self.page.evaluate("axe.run()")
        return [
            f"{one['id']}: {node['html']}"
            for one in found["violations"]
            if one["impact"] in {"serious", "critical"}
            for node in one["nodes"]
        ]

    def has_to_scroll_sideways(self) -> bool:
        """Whether the page is wider than the screen."""
        return bool(self.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))

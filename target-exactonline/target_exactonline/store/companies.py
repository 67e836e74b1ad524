"""Companies and sites by the numbers that all other rows name them by."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from exactonline_client.companies import Company
from exactonline_client.store import Store
from sqlalchemy import select

from target_exactonline.store.tables import companies, sites


class Companies:
    """Numbers of companies; safe for threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._mutex = threading.Lock()
        self._sites: dict[str, int] = {}
        self._numbers: dict[Company, int] = {}

    def site(self, url: str) -> int:
        """Return the number of a site, which gets one at first."""
        with self._mutex:
            return self._site(url)

    def all_sites(self) -> list[str]:
        """Return the addresses of all sites, the first known first."""
        with self._store.read() as connection:
            return list(connection.execute(select(sites.c.url).order_by(sites.c.id)).scalars())

    def number(self, company: Company, name: str = "") -> int:
        """Return the number of a company, which gets one at first, and keep its name where it is given."""
        with self._mutex:
            if company not in self._numbers:
                self._numbers[company] = self._placed(company, name)
            return self._numbers[company]

    def known(self, urls: Sequence[str]) -> dict[int, Company]:
        """Return all companies of these sites by number."""
        query = select(companies.c.id, companies.c.division, sites.c.url).join(sites, sites.c.id == companies.c.site)
        with self._store.read() as connection:
            rows = connection.execute(query.where(sites.c.url.in_(urls)))
            return {row.id: Company(row.url, row.division) for row in rows}

    def _site(self, url: str) -> int:
        if url not in self._sites:
            query = select(sites.c.id).where(sites.c.url == url)
            with self._store.read() as connection:
                number = connection.execute(query).scalar_one_or_none()
            if number is None:
                with self._store.write() as connection:
                    number = connection.execute(query).scalar_one_or_none()
                    if number is None:
                        number = connection.execute(sites.insert().returning(sites.c.id), {"url": url}).scalar_one()
            self._sites[url] = number
        return self._sites[url]

    def _placed(self, company: Company, name: str) -> int:
        site = self._site(company.site)
        here = (companies.c.site == site) & (companies.c.division == company.division)
        query = select(companies.c.id, companies.c.name).where(here)
        with self._store.read() as connection:
            row = connection.execute(query).one_or_none()
        if row is not None and (not name or row.name == name):
            return int(row.id)
        with self._store.write() as connection:
            row = connection.execute(query).one_or_none()
            if row is not None:
                connection.execute(companies.update().where(here).values(name=name))
                return int(row.id)
            new = {"site": site, "division": company.division, "name": name}
            return int(connection.execute(companies.insert().returning(companies.c.id), new).scalar_one())

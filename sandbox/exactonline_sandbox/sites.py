"""Several sites, each a world of its own: a country, or a subscription, with its apps, users, divisions and clock.

A site has a world file and a port to itself, so nothing of one can show in another, and a client tells them apart as it
tells countries apart at Exact: by the address.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from exactonline_sandbox.opening import open_world, read_world_file
from exactonline_sandbox.storage import Storage
from exactonline_sandbox.world import world_from


def open_sites(
    db: Path,
    world: Path | None,
    *,
    fresh: bool = False,
    no_limits: bool | None = None,
    switches: Mapping[str, Any] | None = None,
) -> dict[str, Storage]:
    """The worlds by name, those of an ordinary file under the name "".

    `world` may hold one, or `{"sites": {name: world}}`. Without it: the sites that lie beside `db`, or the world in it.

    Raises:
        ValueError: A world is wrong.
    """
    given = read_world_file(world) if world else None
    if given is not None and "sites" in given:
        worlds: Mapping[str, Any] = _sites_in(given)
    else:
        kept = [] if given is not None or db.exists() else sorted(db.parent.glob(f"{db.stem}.*{db.suffix}"))
        worlds = {path.name.removeprefix(f"{db.stem}.").removesuffix(db.suffix): None for path in kept} or {"": given}
    return {
        name: open_world(file_of(db, name), one, fresh=fresh, no_limits=no_limits, switches=switches)
        for name, one in sorted(worlds.items())
    }


def file_of(db: Path, name: str) -> Path:
    """The world file of a site: world.be.db beside world.db."""
    return db.with_name(f"{db.stem}.{name}{db.suffix}") if name else db


def _sites_in(given: Mapping[str, Any]) -> Mapping[str, Any]:
    sites = given["sites"]
    if given.keys() != {"sites"} or not isinstance(sites, dict) or not sites:
        raise ValueError('several sites look like {"sites": {"nl": {...}, "be": {...}}}, with nothing beside')
    for name, world in sites.items():
        if not (name.isascii() and name.isalnum()) or not isinstance(world, dict):
            raise ValueError(f"the site {name!r} needs a name of letters and digits, and a world")
        world_from(world)
    return sites

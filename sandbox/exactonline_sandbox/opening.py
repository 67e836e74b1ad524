"""World files opened, and filled where they are new."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from exactonline_sandbox.demo import demo_world
from exactonline_sandbox.found_switches import keep
from exactonline_sandbox.loading import load, load_lists
from exactonline_sandbox.storage import Storage, has_lists, has_world


def open_world(
    path: Path,
    world: Mapping[str, Any] | None = None,
    *,
    fresh: bool = False,
    no_limits: bool | None = None,
    switches: Mapping[str, Any] | None = None,
) -> Storage:
    """The world file at a path. It is loaded with `world`, or the demo world, if new or `fresh`; else left as it is.

    Args:
        switches: Those that were found at a real company; None: as the file has them.

    Raises:
        ValueError: The world is wrong.
    """
    storage = Storage(path)
    with storage.transaction() as db:
        if fresh or not has_world(db):
            load(db, demo_world() if world is None else world, no_limits=no_limits, start=True)
        elif not has_lists(db):  # a file of before there were lists
            load_lists(db)
        if switches is not None:
            keep(db, switches)
    return storage


def read_world_file(path: Path) -> dict[str, Any]:
    """The world in a JSON file; ValueError if it is none."""
    world = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(world, dict):
        raise ValueError(f"{path} holds no world: a JSON object was expected")  # noqa: TRY004 - a wrong file, not a wrong argument
    return world

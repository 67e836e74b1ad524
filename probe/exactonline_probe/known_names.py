"""Names that the evidence may hold: members of Exact's entities, as its reference and recordings up to 2026 have them.

A member that is not among them may be a free field that a company named itself, so its name is nobody's business.
"""

from __future__ import annotations

from importlib.resources import files


def _entities() -> dict[str, frozenset[str]]:
    """Names by entity; a line that ends in a colon begins one."""
    found: dict[str, list[str]] = {}
    entity = ""
    for line in (files("exactonline_probe") / "members.txt").read_text(encoding="utf-8").splitlines():
        if line.endswith(":"):
            entity = line.removesuffix(":")
        else:
            found.setdefault(entity, []).extend(line.split())
    return {name: frozenset(members) for name, members in found.items()}


ENTITIES = _entities()
ACCOUNT_MEMBERS = ENTITIES["Accounts"]
MEMBERS = frozenset[str]().union(*ENTITIES.values())

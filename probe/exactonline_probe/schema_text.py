"""What `$metadata` says of the members that the project knows: types, lengths, and whether they may be empty."""

from __future__ import annotations

import re

from exactonline_probe.known_names import MEMBERS

_ENTITY = re.compile(r"<EntityType\s[^>]*?\bName=\"(\w+)\".*?</EntityType>", re.DOTALL)
_PROPERTY = re.compile(r"<Property\s([^>]*)>")
_ATTRIBUTE = re.compile(r"(\w+)=\"([^\"]*)\"")
_EDM = re.compile(r"Edm\.(Guid|String|Int16|Int32|Int64|Double|Decimal|Boolean|DateTime|Binary|Byte)")
_LENGTH = re.compile(r"[0-9]{1,5}|Max")
_OF_INTEREST = {"Account", "Contact", "Address", "BankAccount", "PaymentCondition", "VATCode", "GLAccount"}


def declared(text: str) -> dict[str, dict[str, str]]:
    """Entity → member → `Edm.String 50 nullable`; only entities and members that are known."""
    found: dict[str, dict[str, str]] = {}
    for entity in _ENTITY.finditer(text):
        if entity[1] not in _OF_INTEREST:
            continue
        members: dict[str, str] = {}
        for line in _PROPERTY.finditer(entity[0]):
            about = dict(_ATTRIBUTE.findall(line[1]))
            if about.get("Name") in MEMBERS and _EDM.fullmatch(about.get("Type", "")):
                members[about["Name"]] = " ".join(_words(about))
        found[entity[1]] = members
    return found


def lengths(text: str) -> dict[str, dict[str, str]]:
    """Those of them whose length is told."""
    told = {
        entity: {name: words for name, words in members.items() if any(part.isdecimal() for part in words.split())}
        for entity, members in declared(text).items()
    }
    return {entity: members for entity, members in told.items() if members}


def _words(about: dict[str, str]) -> list[str]:
    length = about.get("MaxLength", "")
    return [
        about["Type"],
        *([length] if _LENGTH.fullmatch(length) else []),
        *(["mandatory"] if about.get("Nullable") == "false" else []),
    ]

"""The code of docs/other-plugins.md, as it is written there."""

from __future__ import annotations

import re
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
PAGE = (CHECKOUT / "docs" / "other-plugins.md").read_text(encoding="utf-8")
_FENCED = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INDENTED = re.compile(r"(?:^ {4,}\S.*\n)+", re.MULTILINE)


def commands() -> list[str]:
    """Each shell block, and each command in a table, in the order of the page."""
    found = [(block.start(), block[0]) for block in _INDENTED.finditer(_FENCED.sub(_blank, PAGE))]
    found += [(cell.start(), cell[1]) for cell in re.finditer(r"^\| `(meltano [^`]+)`", PAGE, re.MULTILINE)]
    return ["\n".join(line.strip() for line in block.splitlines()) for _, block in sorted(found)]


def fenced(language: str) -> list[str]:
    """Each block of this language."""
    return [text for name, text in _FENCED.findall(PAGE) if name == language]


def messages() -> list[str]:
    """What the page says that programs say, each in one line."""
    return [" ".join(text.split()) for text in fenced("text")]


def expressions() -> list[tuple[str, str]]:
    """The table of values that need a map: an example from the list, and the expression."""
    return re.findall(r"^\| .*`([^`]+)` \| `([^`]+)` \|$", PAGE, re.MULTILINE)


def _blank(block: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", block[0])

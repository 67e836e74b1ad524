"""A page that shows each difference with both sides next to each other. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from exactonline_probe.facts import Difference, Facts, name_of

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>
body {{ font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem; color: #222 }}
section {{ border-top: 1px solid #ccc; padding: 1rem 0 }}
.sides {{ display: grid; grid-template-columns: 1fr 1fr; gap: 1.5rem }}
pre {{ background: #f5f5f5; padding: .75rem; overflow: auto; font-size: 13px }}
h3 {{ margin: 0 0 .25rem; font-size: 1rem; color: #666 }}
</style></head><body>
<h1>{title}</h1>
<p>{counted}</p>
{sections}
</body></html>
"""
_SECTION = """<section id="{id}"><h2>{question}</h2><p><code>{id}</code></p>
<div class="sides"><div>{left}</div><div>{right}</div></div></section>"""
_SIDE = "<h3>{name}</h3><p><strong>{answer}</strong><br>{means}</p>{evidence}"


def page(left: Facts, right: Facts, found: Sequence[Difference]) -> str:
    """The page of the differences between two sides."""
    sections = [
        _SECTION.format(
            id=escape(one.id),
            question=escape(one.question),
            left=_side(name_of(left), one.left),
            right=_side(name_of(right), one.right),
        )
        for one in found
    ]
    counted = "One answer differs." if len(found) == 1 else f"{len(found)} answers differ."
    title = f"{escape(name_of(left))} and {escape(name_of(right))}"
    return _PAGE.format(title=title, counted=counted, sections="\n".join(sections))


def _side(name: str, fact: Mapping[str, Any]) -> str:
    evidence = fact.get("evidence")
    text = json.dumps(evidence, ensure_ascii=False, indent=2) if evidence else ""
    return _SIDE.format(
        name=escape(name),
        answer=escape(str(fact["answer"])),
        means=escape(str(fact["means"])),
        evidence=f"<pre>{escape(text)}</pre>" if text else "",
    )

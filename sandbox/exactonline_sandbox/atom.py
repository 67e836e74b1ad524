"""Atom XML, which Exact answers with unless JSON is asked for (dossier 4.5). The next page's link comes last."""

from typing import Any
from xml.sax.saxutils import escape, quoteattr

from exactonline_sandbox.clock import iso, parse_wall
from exactonline_sandbox.properties import Entity

_DATA = "http://schemas.microsoft.com/ado/2007/08/dataservices"
_META = f"{_DATA}/metadata"
_SPACES = f'xmlns="http://www.w3.org/2005/Atom" xmlns:d="{_DATA}" xmlns:m="{_META}"'
_HEAD = '<?xml version="1.0" encoding="utf-8" standalone="yes"?>'


def entry(entity: Entity, wire: dict[str, Any]) -> bytes:
    """One entity as a document."""
    return (_HEAD + _entry(entity, wire, f" {_SPACES}")).encode()


def value(name: str, *, known: bool) -> bytes:
    """The result of a function as a document."""
    text = str(known).lower()
    return f'{_HEAD}<{name} xmlns="{_DATA}" xmlns:m="{_META}" m:type="Edm.Boolean">{text}</{name}>'.encode()


def feed(entity: Entity, wires: list[dict[str, Any]], following: str | None, count: int | None) -> bytes:
    """A page as a document."""
    name = entity.path.rpartition("/")[2]
    parts = [_HEAD, f'<feed {_SPACES}><title type="text">{name}</title>']
    if count is not None:
        parts.append(f"<m:count>{count}</m:count>")
    parts.append(f'<link rel="self" title="{name}" href="{name}" />')
    parts.extend(_entry(entity, wire) for wire in wires)
    if following is not None:
        parts.append(f'<link rel="next" href={quoteattr(following)} />')
    return "".join([*parts, "</feed>"]).encode()


def _entry(entity: Entity, wire: dict[str, Any], spaces: str = "") -> str:
    uri = wire["__metadata"]["uri"]
    members = "".join(
        _member(name, entity.properties[name].edm, value)
        for name, value in wire.items()
        if name != "__metadata" and not isinstance(value, dict)
    )
    return (
        f"<entry{spaces}><id>{escape(uri)}</id>"
        f'<category term="{entity.type}" scheme="http://schemas.microsoft.com/ado/2007/08/dataservices/scheme" />'
        f'<content type="application/xml"><m:properties>{members}</m:properties></content></entry>'
    )


def _member(name: str, edm: str, value: Any) -> str:
    kind = "" if edm == "Edm.String" else f' m:type="{edm}"'
    if value is None:
        return f'<d:{name}{kind} m:null="true" />'
    text = _text(edm, value)
    kept = ' xml:space="preserve"' if text != text.strip() else ""  # recorded for padded texts (dossier 12.1)
    return f"<d:{name}{kind}{kept}>{escape(text)}</d:{name}>"


def _text(edm: str, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if edm == "Edm.DateTime":
        return iso(parse_wall(value) or 0)
    return str(value)

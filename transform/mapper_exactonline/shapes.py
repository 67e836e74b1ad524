"""The shape that Singer gives each type of message. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

TYPES = ("ACTIVATE_VERSION", "BATCH", "RECORD", "SCHEMA", "STATE")


def what_is_wrong(message: Mapping[str, Any]) -> str | None:
    """Why a message is not of the shape that Singer gives its type, or None."""
    kind = message["type"]
    if kind not in TYPES:
        return f"has a type that is none of {', '.join(TYPES)}"
    if kind == "STATE":
        return None if isinstance(message.get("value"), dict) else "is a STATE whose value is no object"
    if kind == "BATCH":
        return None
    if not isinstance(message.get("stream"), str):
        return f"is a {kind} that names no stream"
    if kind == "RECORD" and not isinstance(message.get("record"), dict):
        return f"is a RECORD of the stream {message['stream']} whose record is no object"
    if kind == "SCHEMA":
        schema = message.get("schema")
        if not isinstance(schema, dict) or not isinstance(schema.get("properties"), dict):
            return f"is a SCHEMA of the stream {message['stream']} without properties"
        keys = message.get("key_properties") or []
        if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
            return f"is a SCHEMA of the stream {message['stream']} whose key_properties are no list of names"
    return None

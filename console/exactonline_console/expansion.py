"""Text of others in files where Meltano replaces `$NAME` and `${NAME}` by what the environment says. Pure."""

from __future__ import annotations

import re

_VARIABLE = r"\$(?:\{\w+\}|[A-Z][A-Z0-9_]*)"
"""`ENV_VAR_PATTERN` of meltano.core.utils. What has a backslash before it stays as it is, without the backslash."""


def escaped(text: str) -> str:
    """Return the text as it has to stand in the file, so that Meltano reads what it says."""
    return re.sub(_VARIABLE, r"\\\g<0>", text)


def restored(text: str) -> str:
    """Return what an escaped text says."""
    return re.sub(rf"\\({_VARIABLE})", r"\1", text)

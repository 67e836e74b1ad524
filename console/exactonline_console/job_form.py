"""What a person filled in about a job → the job. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from exactonline_client.errors import ConfigurationError

from exactonline_console.jobs import Job
from exactonline_console.looks import Company


def job_of(given: Mapping[str, str], chosen: Mapping[str, Sequence[str]], companies: Sequence[Company]) -> Job:
    """The job that a form describes.

    Args:
        given: Single values by name.
        chosen: Lists by name: `targets` and `fields`.
        companies: Those in reach.

    Raises:
        ConfigurationError: Something is missing or cannot be; it says what to do.
    """
    known = {one.code: one for one in companies}
    source = _whole(given.get("source", ""), "source company")
    if source is None or source not in known:
        raise ConfigurationError("Choose the company whose customers are copied.")
    ticked = [int(code) for code in chosen["targets"] if code.isdigit() and int(code) in known and int(code) != source]
    if not ticked:
        raise ConfigurationError("Choose at least one company that gets the copies.")
    later_too = given.get("later_too") == "yes"
    open_ones = [one.code for one in companies if one.is_usable and one.code != source]
    targets = () if later_too else tuple(ticked)
    fields = tuple(dict.fromkeys(chosen["fields"])) if given.get("which_fields") == "some" else None
    if fields == ():
        raise ConfigurationError("Choose at least one field that travels.")
    share = _whole(given.get("max_updates_percent", ""), "largest share of changes")
    if share is not None and share > 100:
        raise ConfigurationError("The largest share of changes is given in percent: 0 to 100.")
    return Job(
        name=given.get("name", ""),
        connections=tuple(dict.fromkeys(known[code].connection for code in (source, *ticked))),
        source=source,
        targets=targets,
        excluded=tuple(code for code in open_ones if code not in ticked) if later_too else (),
        names={code: known[code].name for code in (source, *ticked)},
        homes={code: known[code].connection for code in (source, *ticked)},
        fields=fields,
        limit=_whole(given.get("limit", ""), "trial limit", least=1),
        on_collision="overwrite" if given.get("on_collision") == "overwrite" else "refuse",
        max_creates=_whole(given.get("max_creates", ""), "largest number of new accounts"),
        max_updates_share=None if share is None else share / 100,
    )


def _whole(text: str, what: str, *, least: int = 0) -> int | None:
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or int(text) < least or len(text) > 9:
        raise ConfigurationError(f"The {what} is {text!r}: give a whole number of {least} or more, or leave it empty.")
    return int(text)

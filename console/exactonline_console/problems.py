"""What went wrong with a request, in words for the person who made it. Pure."""

from __future__ import annotations

import errno
from dataclasses import dataclass

from exactonline_client.errors import ExactError, StoreUnusableError

from exactonline_console.texts import Texts, marked

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS}
FULL_TEXTS = ("is full", "disk i/o error", "no space left", "could not extend file", "readonly database")
LOCKED_TEXTS = ("locked", "lock timeout")

DISK_FULL = marked(
    "The disk is full, or nothing can be written to it. Free some space, then try again. What was kept before is safe."
)
STORE_LOCKED = marked(
    "The store is busy: another program has been writing to it for a while. Wait a moment, then try again. Nothing of "
    "this was kept."
)
STORE_AWAY = marked("The store cannot be reached: %(said)s. Start it, or mend its address, then try again.")
FILE_WRONG = marked("The file %(file)s cannot be used: %(said)s.")
MELTANO_MISSING = marked(
    "Meltano is missing on this machine, so no run can start. Have it installed beside the page (make setup)."
)
UNKNOWN = marked("Something went wrong that should not. The page's own log says what; nothing of this was done.")


class MeltanoMissingError(ExactError):
    """There is no program that runs jobs."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What to show."""

    sentence: str
    status: int
    is_translated: bool = True


def problem_of(error: Exception, texts: Texts) -> Problem:
    """Return what to say of an error, and the status of the answer."""
    match error:
        case StoreUnusableError():
            return Problem(_of_store(error.said, texts), 503)
        case MeltanoMissingError():
            return Problem(texts(MELTANO_MISSING), 503)
        case ExactError():
            return Problem(str(error), 400, is_translated=False)
        case OSError(errno=number) if number in FULL:
            return Problem(texts(DISK_FULL), 503)
        case OSError(filename=str() as file):
            return Problem(texts(FILE_WRONG, file=file, said=error.strerror or ""), 503)
        case _:
            return Problem(texts(UNKNOWN), 500)


def _of_store(said: str, texts: Texts) -> str:
    if any(text in said.lower() for text in FULL_TEXTS):
        return texts(DISK_FULL)
    if any(text in said.lower() for text in LOCKED_TEXTS):
        return texts(STORE_LOCKED)
    return texts(STORE_AWAY, said=said.rstrip("."))

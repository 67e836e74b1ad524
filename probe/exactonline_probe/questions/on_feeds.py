"""What becomes of an account that is deleted, and what row versions tell (API 5.4, 13.1, 13.10)."""

from __future__ import annotations

from exactonline_probe.question import Answer, Ask, Question
from exactonline_probe.questions.on_answers import EVER
from exactonline_probe.questions.on_writing import ADDRESS, SYNC, post, version_of
from exactonline_probe.replies import Reply, Seen, json_type

ACCOUNTS_ENTITY = 2
REMOVE = Ask(ADDRESS, method="DELETE")
LOG = Ask(
    "sync/Deleted",
    {"$select": "Timestamp,ID,EntityKey,EntityType", "$filter": "Timestamp gt 1L and EntityType eq 2"},
)
DELETED = (post(), SYNC, REMOVE, SYNC, LOG)
ANY_DELETED = Ask("sync/Deleted", {"$select": "Timestamp", "$filter": "Timestamp gt 1L", "$top": "1"})
SINCE_EVER = Ask("read/sync/Sync/SyncTimestamp", {"modified": "datetime'1990-01-01'", "endPoint": "'Accounts'"})
MANY_VERSIONS = Ask("sync/CRM/Accounts", SYNC.query)


def logged(seen: Seen) -> dict[str, object] | None:
    """The log's row of the account that was deleted."""
    return next((row for row in seen[4].rows if row["EntityKey"] == seen.values["made"]), None)


def is_logged(seen: Seen) -> str | None:
    """Whether the log has it; undecided if it has more rows than one page."""
    if logged(seen):
        return "logged"
    return None if seen[4].next else "missing"


def of_one_counter(seen: Seen) -> str | None:
    """Whether the deletion's row version lies above those that the accounts had."""
    row = logged(seen)
    if row is None:
        return None
    highest = max(int(one["Timestamp"]) for one in seen[1].rows)
    return "one_counter" if int(str(row["Timestamp"])) > highest else "two_counters"


def still_there(reply: Reply, key: str) -> str:
    """Whether a sync has an account."""
    try:
        version_of(reply, key)
    except StopIteration:
        return "gone"
    return "there"


def lowest(seen: Seen) -> str | None:
    """Whether SyncTimestamp names the lowest row version of the accounts."""
    versions = [int(row["Timestamp"]) for row in seen[0].rows]
    if not versions or not seen[1].rows:
        return None
    named = int(seen[1].first["TimeStampAsBigInt"])
    return "lowest" if named == min(versions) else "highest" if named == max(versions) else "other"


QUESTIONS = (
    Question(
        "deleted_log",
        "feeds",
        "Does sync/Deleted answer?",
        "API 5.4: it needs another scope than accounts, and once a right of its own",
        (ANY_DELETED,),
        lambda seen: seen[0].envelope,
        (Answer("array", "deletions can be followed"), Answer("results", "deletions can be followed")),
    ),
    Question(
        "delete_status",
        "feeds",
        "Is a deletion answered with 204?",
        "API 4.3",
        DELETED,
        lambda seen: str(seen[2].status),
        (Answer("204", "as assumed"), Answer("200", "accept it")),
    ),
    Question(
        "deletion_in_log",
        "feeds",
        "Is it in sync/Deleted at once, with EntityType 2?",
        "API 5.4",
        DELETED,
        is_logged,
        (Answer("logged", "the next run sees it"), Answer("missing", "read the log again later")),
    ),
    Question(
        "deletion_counter",
        "feeds",
        "Does its row version come from the counter of the accounts?",
        "API 5.4: not said; every client keeps two bookmarks",
        DELETED,
        of_one_counter,
        (Answer("one_counter", "two bookmarks do no harm"), Answer("two_counters", "two bookmarks are a must")),
    ),
    Question(
        "deleted_in_sync",
        "feeds",
        "Is a deleted account gone from sync/CRM/Accounts?",
        "API 5.4",
        DELETED,
        lambda seen: still_there(seen[3], seen.values["made"]),
        (Answer("gone", "only the log tells"), Answer("there", "look for a mark of deletion")),
    ),
    Question(
        "deleted_versions",
        "feeds",
        "Is a row version in sync/Deleted of the same JSON type as in sync/CRM/Accounts?",
        "API 13.1",
        DELETED,
        lambda seen: (
            "same" if json_type(seen[4].first["Timestamp"]) == json_type(seen[1].first["Timestamp"]) else "other"
        ),
        (Answer("same", "one reader"), Answer("other", "read either")),
    ),
    Question(
        "sync_timestamp",
        "feeds",
        "Does SyncTimestamp name the lowest row version changed since a moment?",
        "API 1.2: the names are known, the meaning is not",
        (MANY_VERSIONS, SINCE_EVER),
        lowest,
        (
            Answer("lowest", "a bookmark can be made of a date"),
            Answer("highest", "a bookmark of now can be had"),
            Answer("other", "make no bookmark of it"),
        ),
    ),
    Question(
        "count_of_sync",
        "feeds",
        "Has crm as many accounts as sync?",
        "API 4.4: a missing right can show as no rows",
        (MANY_VERSIONS, Ask("crm/Accounts/$count", {"$filter": EVER}, headers={"Accept": ""})),
        lambda seen: (
            None if seen[0].next else "same" if int(seen[1].text.strip("\ufeff \r\n")) == len(seen[0].rows) else "other"
        ),
        (Answer("same", "either tells of all"), Answer("other", "a feed alone does not tell of all")),
    ),
)

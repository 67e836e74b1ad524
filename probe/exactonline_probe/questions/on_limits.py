"""Limits and errors: what refuses, and how (API 4.4, 6, 7, 13.2, 13.9).

Not asked is how Exact blocks after ten errors in an hour (API 13.2): that would keep the company's own programs out.
"""

from __future__ import annotations

from exactonline_probe.question import Answer, Ask, Question, Refresh
from exactonline_probe.questions.on_answers import EVER
from exactonline_probe.replies import Reply, Seen, json_type

ONE = {"$select": "ID", "$filter": EVER, "$top": "1"}
BURST = (Ask("crm/Accounts", ONE, expects=frozenset({200, 429}), times=130, spends="minute"),)
CONTRACT = (Ask("crm/Accounts", ONE, expects=frozenset({200, 403, 429}), spends="contract"),)
DUE = (Refresh("due"),)
EARLY = (Refresh("early", is_error=True),)
LONG = (Ask("crm/Accounts", {**ONE, "$filter": "Name eq '{long}'"}, expects=frozenset({200, 400, 404, 414})),)
NOT_FILTERABLE = (
    Ask("crm/Accounts", {**ONE, "$filter": "CanDropShip eq true"}, expects=frozenset({200, 400}), is_error=True),
)
NO_KEY = (Ask("crm/Accounts(guid'{nobody}')", {"$select": "ID"}, expects=frozenset({200, 404}), is_error=True),)
NO_PATH = (Ask("crm/NoSuchEntity", {"$top": "1"}, expects=frozenset({200, 404}), is_error=True),)


def families(reply: Reply) -> str | None:
    """Which headers a refusal for the minute carries."""
    if reply.status != 429:
        return None
    minute, day = "x-ratelimit-minutely-limit" in reply.headers, "x-ratelimit-limit" in reply.headers
    return {2: "both", 1: "one", 0: "none"}[minute + day]


def of_refusal(reply: Reply, there: str, name: str) -> str | None:
    """Whether a refusal has a header."""
    return None if reply.status != 429 else there if name in reply.headers else "missing"


def contract_refusal(reply: Reply) -> str | None:
    """How the day of the contract is refused."""
    if reply.status == 200:
        return None
    if reply.status == 403:
        return "forbidden"
    if "x-ratelimit-remaining" not in reply.headers:
        return "bare"
    return "day_headers" if reply.headers["x-ratelimit-remaining"] == "0" else "calls_left"


def refused(reply: Reply) -> str:
    """Answered, or refused with what status."""
    return "answered" if reply.status == 200 else f"refused_{reply.status}"


def told_in(seen: Seen) -> str:
    """What tells a reader why a refresh was refused."""
    return "header" if "reason" in seen[0].headers else "body"


QUESTIONS = (
    Question(
        "minute_headers",
        "limits",
        "Does a refusal for the minute carry the headers of the minute alone?",
        "API 7.2, 11.7: contradicted",
        BURST,
        lambda seen: families(seen[0]),
        (
            Answer("one", "that family tells which limit it was", ("rate_headers_on_429", "one")),
            Answer("none", "the answer before it told", ("rate_headers_on_429", "none")),
            Answer("both", "the one with nothing left tells"),
        ),
    ),
    Question(
        "minute_body",
        "limits",
        "Is its body empty?",
        "API 7.2: a forum",
        BURST,
        lambda seen: None if seen[0].status != 429 else "text" if seen[0].body else "empty",
        (Answer("empty", "read the headers"), Answer("text", "the evidence holds its words")),
    ),
    Question(
        "minute_retry_after",
        "limits",
        "Is there no Retry-After?",
        "API 7.2, 13.9: only assumed by clients",
        BURST,
        lambda seen: of_refusal(seen[0], "sent", "retry-after"),
        (Answer("missing", "wait until the minute ends"), Answer("sent", "obey it")),
    ),
    Question(
        "expires_in",
        "limits",
        "Is expires_in a text?",
        "API 11.4; waits up to ten minutes, until the login is due",
        DUE,
        lambda seen: json_type(seen[0].json["expires_in"]),
        (
            Answer("string", "accept both", ("expires_in_as", "string")),
            Answer("number", "accept both", ("expires_in_as", "number")),
        ),
    ),
    Question(
        "early_refresh",
        "limits",
        "Is a refresh that comes too early refused with 400?",
        "API 11.2: 401 in an older text; the login stays good",
        EARLY,
        lambda seen: "given" if seen[0].status == 200 else refused(seen[0]),
        (
            Answer("refused_400", "go on with the token", ("early_refresh_status", 400)),
            Answer("refused_401", "go on with the token", ("early_refresh_status", 401)),
            Answer("given", "nothing to wait for"),
        ),
    ),
    Question(
        "early_refresh_reason",
        "limits",
        "Does a header say why?",
        "API 6: recorded",
        EARLY,
        told_in,
        (Answer("header", "read Reason"), Answer("body", "read the body")),
    ),
    Question(
        "long_address",
        "limits",
        "Is an address of more than 6,000 characters refused with 414?",
        "API 7.1: rejected, as an official page says without a status",
        LONG,
        lambda seen: refused(seen[0]),
        (
            Answer("refused_414", "keep addresses short", ("long_url_status", 414)),
            Answer("refused_404", "keep addresses short: it costs an error", ("long_url_status", 404)),
            Answer("refused_400", "keep addresses short: it costs an error", ("long_url_status", 400)),
            Answer("answered", "longer ones are taken"),
        ),
    ),
    Question(
        "unknown_path",
        "limits",
        "Is a path of nothing a 404?",
        "API 4.4, 13.9: no body was seen",
        NO_PATH,
        lambda seen: refused(seen[0]),
        (Answer("refused_404", "as assumed"), Answer("answered", "an empty answer proves nothing")),
    ),
    Question(
        "not_filterable",
        "limits",
        "Is a filter on a member that is not listed refused?",
        "API 5.3",
        NOT_FILTERABLE,
        lambda seen: refused(seen[0]),
        (Answer("refused_400", "filter by listed members alone"), Answer("answered", "more members can be filtered")),
    ),
    Question(
        "limit_headers_of_errors",
        "limits",
        "Does an error carry the headers of the limits?",
        "API 7.2: recorded",
        NOT_FILTERABLE,
        lambda seen: "sent" if "x-ratelimit-limit" in seen[0].headers else "missing",
        (Answer("sent", "errors count as calls"), Answer("missing", "count them oneself")),
    ),
    Question(
        "unknown_key",
        "limits",
        "Is a key of nobody a 404?",
        "API 4.4, 13.9: no body was seen",
        NO_KEY,
        lambda seen: refused(seen[0]),
        (Answer("refused_404", "look it up by a filter, which costs no error"), Answer("answered", "look at the row")),
    ),
    Question(
        "contract_refusal",
        "limits",
        "Is the contract's day refused with a 429 without headers?",
        "API 7.1: not known at all; asked only with --contract-calls, since it spends the day of all companies",
        CONTRACT,
        lambda seen: contract_refusal(seen[0]),
        (
            Answer("bare", "a 429 with calls left may be the contract's", ("contract_refusal", "bare")),
            Answer("day_headers", "the limit in the headers is the contract's", ("contract_refusal", "day_headers")),
            Answer("calls_left", "a 429 with calls left is the contract's", ("contract_refusal", "calls_left")),
            Answer("forbidden", "a 403 may be the contract's", ("contract_refusal", "forbidden")),
        ),
    ),
)

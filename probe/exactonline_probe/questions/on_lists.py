"""How lists are asked for: filters, pages, row versions, spellings of paths (API 1.3, 2.7, 3, 5)."""

from __future__ import annotations

from exactonline_probe.question import Answer, Ask, Question
from exactonline_probe.questions.on_answers import EVER, FEW
from exactonline_probe.replies import Reply, Seen, json_type

ID = {"$select": "ID", "$top": "1"}
MANY = Ask("crm/Accounts", {"$select": "ID", "$filter": EVER, "$top": "1000"})
SYNC = Ask("sync/CRM/Accounts", {"$select": "Timestamp,ID", "$filter": "Timestamp gt 1L", "$top": "60"})
A_CODE = Ask("crm/Accounts", FEW.query, keeps={"code": "Code"})
TAKEN = frozenset({200, 400, 404})


def answered(seen: Seen) -> str:
    """Whether the last request was answered or refused."""
    return "answered" if seen.last.status == 200 else "refused"


def found(seen: Seen) -> str:
    """Whether the last request found a row."""
    if seen.last.status != 200:
        return "refused"
    return "found" if seen.last.rows else "not_found"


def page_size(reply: Reply) -> str | None:
    """Rows of a page that has a next one."""
    if reply.next is None:
        return None
    return "60" if len(reply.rows) == 60 else "other"


def lowered_top(reply: Reply) -> str | None:
    """What the next address says of $top."""
    if reply.next is None:
        return None
    if "$top=" not in reply.next.replace("%24", "$"):
        return "missing"
    return "lowered" if f"top={1000 - len(reply.rows)}" in reply.next else "as_sent"


def token_form(reply: Reply) -> str | None:
    """What a page's $skiptoken is made of."""
    if reply.next is None:
        return None
    return "guid" if "skiptoken=guid" in reply.next else "other"


def order_of_versions(reply: Reply) -> str | None:
    """The order of row versions."""
    versions = [int(row["Timestamp"]) for row in reply.rows]
    if len(versions) < 2:
        return None
    return "ascending" if versions == sorted(versions) else "other"


QUESTIONS = (
    Question(
        "timestamp_type",
        "reading",
        "Is a row version a text in JSON?",
        "API 13.1, 11.6",
        (SYNC,),
        lambda seen: json_type(seen[0].first["Timestamp"]),
        (
            Answer("string", "read the number from the text", ("timestamp_as", "string")),
            Answer("number", "read it as it is", ("timestamp_as", "number")),
        ),
    ),
    Question(
        "sync_order",
        "reading",
        "Do the rows of a sync come in the order of their row versions?",
        "API 13.1: assumed by clients, promised nowhere",
        (SYNC,),
        lambda seen: order_of_versions(seen[0]),
        (Answer("ascending", "a page's last row is its highest"), Answer("other", "take the highest of all rows")),
    ),
    Question(
        "sync_literal",
        "reading",
        "Is `Timestamp gt 1` taken without the L?",
        "API 14: clients send both",
        (Ask("sync/CRM/Accounts", {"$select": "ID", "$filter": "Timestamp gt 1", "$top": "1"}, expects=TAKEN),),
        answered,
        (Answer("answered", "either form"), Answer("refused", "send the L")),
    ),
    Question(
        "sync_without_select",
        "reading",
        "Does a sync answer without $select?",
        "API 2.7: every client sends one",
        (Ask("sync/CRM/Accounts", {"$filter": "Timestamp gt 1L", "$top": "1"}, expects=TAKEN),),
        answered,
        (Answer("answered", "a $select is a matter of size"), Answer("refused", "always send a $select")),
    ),
    Question(
        "mandatory_filter",
        "reading",
        "Does crm/Accounts answer a list without a filter?",
        "API 13.7, 11.1: refused since 2021, answered in 2026",
        (Ask("crm/Accounts", ID, expects=TAKEN),),
        answered,
        (
            Answer("answered", "no filter is needed", ("mandatory_filter", False)),
            Answer("refused", "send a filter, or use sync", ("mandatory_filter", True)),
        ),
    ),
    Question(
        "bulk_with_top_1",
        "reading",
        "Does bulk answer without $select where $top is 1?",
        "API 4.4: said in an error",
        (Ask("bulk/CRM/Accounts", {"$filter": EVER, "$top": "1"}, expects=TAKEN),),
        answered,
        (Answer("answered", "as the error says"), Answer("refused", "always send a $select")),
    ),
    Question(
        "path_case",
        "reading",
        "Is the path taken in any casing?",
        "API 1.3, 11.5: contradicted",
        (Ask("CRM/accounts", {**ID, "$filter": EVER}, expects=TAKEN),),
        answered,
        (
            Answer("answered", "the official casing is safe", ("path_case_sensitive", False)),
            Answer("refused", "the official casing is a must", ("path_case_sensitive", True)),
        ),
    ),
    Question(
        "double_slash",
        "reading",
        "Is a doubled slash before the company taken?",
        "API 14: sent by clients",
        (Ask("/api/v1//{division}/crm/Accounts", {**ID, "$filter": EVER}, expects=TAKEN),),
        answered,
        (Answer("answered", "others may send it"), Answer("refused", "send one slash")),
    ),
    Question(
        "no_dollar",
        "reading",
        "Is an option without its dollar passed over?",
        "API 14: Select= is sent by a client",
        (Ask("crm/Accounts", {"Select": "ID", "$filter": EVER, "$top": "1"}, expects=TAKEN),),
        lambda seen: "refused" if seen[0].status != 200 else "ignored" if "Name" in seen[0].first else "obeyed",
        (Answer("ignored", "write the dollar"), Answer("obeyed", "either form"), Answer("refused", "write the dollar")),
    ),
    Question(
        "guid_with_blank",
        "reading",
        "Is guid '…' taken with a blank before the quote?",
        "API 12.1: sent by a client",
        (
            Ask("crm/Accounts", FEW.query, keeps={"account": "ID"}),
            Ask("crm/Accounts", {**ID, "$filter": "ID eq guid '{account}'"}, expects=TAKEN),
        ),
        found,
        (
            Answer("found", "others may send it"),
            Answer("refused", "send no blank"),
            Answer("not_found", "send no blank"),
        ),
    ),
    Question(
        "code_padded",
        "reading",
        "Is an account found by its Code as it is read, with all blanks?",
        "API 3",
        (A_CODE, Ask("crm/Accounts", {**ID, "$filter": "Code eq '{code}'"})),
        found,
        (Answer("found", "filter by the padded form"), Answer("not_found", "filter by trim(Code)")),
    ),
    Question(
        "code_without_blanks",
        "reading",
        "Is an account not found by its Code without blanks?",
        "API 3",
        (A_CODE, Ask("crm/Accounts", {**ID, "$filter": "Code eq '{code_trimmed}'"})),
        found,
        (Answer("not_found", "filter by the padded form"), Answer("found", "either form")),
    ),
    Question(
        "code_trim",
        "reading",
        "Is an account found by trim(Code)?",
        "API 3, 5.1",
        (A_CODE, Ask("crm/Accounts", {**ID, "$filter": "trim(Code) eq '{code_trimmed}'"}, expects=TAKEN)),
        found,
        (Answer("found", "a slower way for one code"), Answer("refused", "filter by the padded form")),
    ),
    Question(
        "text_functions",
        "reading",
        "Are startswith and substringof taken?",
        "API 5.1: coded in clients",
        (
            Ask(
                "crm/Accounts",
                {**ID, "$filter": "startswith(Name,'a') eq true or substringof('a',Name) eq true"},
                expects=TAKEN,
            ),
        ),
        answered,
        (Answer("answered", "names can be searched"), Answer("refused", "read the list and search in it")),
    ),
    Question(
        "page_size",
        "reading",
        "Has a page of crm 60 rows?",
        "API 2.7, 5.2",
        (MANY,),
        lambda seen: page_size(seen[0]),
        (Answer("60", "a list costs a call per 60 rows"), Answer("other", "count the rows")),
    ),
    Question(
        "next_lowers_top",
        "reading",
        "Is $top in the next page's address lowered by the rows that were given?",
        "API 5.2: recorded",
        (MANY,),
        lambda seen: lowered_top(seen[0]),
        (
            Answer("lowered", "follow the address as it is"),
            Answer("as_sent", "count the rows that were read"),
            Answer("missing", "count the rows that were read"),
        ),
    ),
    Question(
        "next_token",
        "reading",
        "Does a page go on after a GUID?",
        "API 5.2: recorded",
        (MANY,),
        lambda seen: token_form(seen[0]),
        (Answer("guid", "never read the token"), Answer("other", "never read the token")),
    ),
    Question(
        "expand_bank_accounts",
        "reading",
        "Does $expand=BankAccounts bring them along, in results?",
        "API 4.2, E 3.3",
        (
            Ask(
                "crm/Accounts",
                {"$select": "ID,BankAccounts", "$expand": "BankAccounts", "$filter": EVER, "$top": "1"},
                expects=TAKEN,
            ),
        ),
        lambda seen: "refused" if seen[0].status != 200 else next(iter(seen[0].first["BankAccounts"])),
        (
            Answer("results", "60 accounts a call, with their bank accounts"),
            Answer("__deferred", "a call for each account"),
            Answer("refused", "a call for each account"),
        ),
    ),
)

"""The lists that accounts refer to, and what becomes of a reference that leads nowhere (API 2.5, 13.4, E 3, 7)."""

from __future__ import annotations

from typing import Any

from exactonline_probe.question import FULL, Answer, Ask, Question
from exactonline_probe.questions.on_answers import EVER
from exactonline_probe.questions.on_writing import get, post, put
from exactonline_probe.replies import Reply, Seen, is_guid, json_type, padding

VAT = Ask("vat/VATCodes", {"$top": "2"})
CONDITIONS = Ask("cashflow/PaymentConditions", {"$top": "2"}, keeps={"condition": "Code"})
LEDGER = Ask("sync/Financial/GLAccounts", {"$select": "ID,Code,Type", "$filter": "Timestamp gt 1L", "$top": "2"})
SLOTS = Ask("crm/AccountClassificationNames", {"$top": "8"})
CLASSES = Ask("crm/AccountClassifications", {"$top": "2"})
BANK_LEDGER = 12
LISTS_FEW_MAY_READ = ("sales/SalesPriceLists", "sales/ShippingMethods")


def judged_post(body: dict[str, Any]) -> Ask:
    """Make an account with a reference that may not hold."""
    return post(body, full=True, judged=True)


def kept(reply: Reply, member: str) -> str:
    """What became of a reference."""
    if reply.status >= 400:
        return f"refused_{reply.status}"
    return "kept" if reply.first[member] else "null"


def denied_list(seen: Seen) -> str | None:
    """What a list answers that the user may not read; None if the user may read all of them."""
    for right, answer in zip(seen.replies[::2], seen.replies[1::2], strict=True):
        if right.d["UserHasRights"] in (True, "true"):
            continue
        return "forbidden" if answer.status == 403 else "rows" if answer.rows else "no_rows"
    return None


def _asked_by_right() -> tuple[Ask, ...]:
    return tuple(
        ask
        for path in LISTS_FEW_MAY_READ
        for ask in (
            Ask("users/UserHasRights", {"endpoint": f"'{path}'", "action": "'GET'"}),
            Ask(path, {"$top": "1"}, expects=frozenset({200, 403})),
        )
    )


def _padding(name: str, ask: Ask, title: str, assumed: str, other: str) -> Question:
    return Question(
        name,
        "references",
        title,
        "E 3.4 to 3.6: recorded",
        (ask,),
        lambda seen: padding(seen[0].first["Code"]),
        (Answer(assumed, "trim codes before they are compared"), Answer(other, "trimming does no harm")),
    )


QUESTIONS = (
    _padding("vat_code_padding", VAT, "Is a VAT code filled to three characters?", "right_3", "none"),
    _padding("condition_code_padding", CONDITIONS, "Is a payment condition's code bare?", "none", "right_3"),
    _padding("ledger_code_padding", LEDGER, "Is a ledger account's code bare?", "none", "right_9"),
    Question(
        "vat_percentage",
        "references",
        "Is a VAT percentage a fraction, as 0.21 is?",
        "E 3.5: recorded",
        (VAT,),
        lambda seen: "fraction" if all(float(row["Percentage"]) < 1 for row in seen[0].rows) else "percents",
        (Answer("fraction", "compare fractions"), Answer("percents", "divide by 100")),
    ),
    Question(
        "ledger_type",
        "references",
        "Is a ledger account's Type a number?",
        "E 3.6",
        (LEDGER,),
        lambda seen: json_type(seen[0].first["Type"]),
        (Answer("number", "compare code and type"), Answer("string", "read the number from the text")),
    ),
    Question(
        "classification_slots",
        "references",
        "Do the names of classifications number the slots, 1 to 8?",
        "E 3.7: so in XML, guessed for REST",
        (SLOTS,),
        lambda seen: (
            None
            if not seen[0].rows
            else "slots"
            if {r["SequenceNumber"] for r in seen[0].rows} <= set(range(1, 9))
            else "other"
        ),
        (Answer("slots", "slot n is SequenceNumber n"), Answer("other", "take slots from accounts that have one")),
    ),
    Question(
        "classification_name",
        "references",
        "Does a classification name its list by GUID?",
        "E 3.7",
        (CLASSES,),
        lambda seen: "guid" if is_guid(seen[0].first["AccountClassificationName"]) else "other",
        (Answer("guid", "look a code up within its list"), Answer("other", "codes may be ambiguous")),
    ),
    Question(
        "missing_list_right",
        "references",
        "Is a list that the user may not read a 403?",
        "API 4.4, E 3.13: sources have both; undecided for a user who may read all",
        _asked_by_right(),
        denied_list,
        (
            Answer("forbidden", "remember it for a day", ("missing_list_right", "forbidden")),
            Answer("no_rows", "an empty list proves nothing", ("missing_list_right", "no_rows")),
            Answer("rows", "UserHasRights does not decide"),
        ),
    ),
    Question(
        "foreign_guid",
        "references",
        "Is a GUID of another company refused?",
        "API 13.4, 11.3: refused in some sources, dropped in others",
        (
            Ask(
                "/api/v1/{other}/crm/Accounts", {"$select": "ID", "$filter": EVER, "$top": "1"}, keeps={"foreign": "ID"}
            ),
            judged_post({"Parent": "{foreign}"}),
        ),
        lambda seen: kept(seen[1], "Parent"),
        (
            Answer("refused_500", "never send one", ("foreign_guid", "refuse")),
            Answer("null", "read back what was sent", ("foreign_guid", "null")),
            Answer("kept", "never send one: it would stay"),
            Answer("refused_400", "never send one: it costs an error", ("foreign_guid", "refuse")),
        ),
    ),
    Question(
        "unknown_code",
        "references",
        "Is a payment condition that the company does not have refused?",
        "E 7: one call",
        (judged_post({"PaymentConditionSales": "ZQ"}),),
        lambda seen: kept(seen[0], "PaymentConditionSales"),
        (
            Answer("refused_500", "read the list first", ("unknown_code", "refuse")),
            Answer("null", "read back what was sent", ("unknown_code", "null")),
            Answer("kept", "codes are not checked"),
            Answer("refused_400", "read the list first: it costs an error", ("unknown_code", "refuse")),
        ),
    ),
    Question(
        "ledger_of_other_type",
        "references",
        "Is a bank's ledger account refused as an account's revenue?",
        "E 3.15: seen for entries, assumed for accounts",
        (
            Ask(
                "financial/GLAccounts",
                {"$select": "ID", "$filter": f"Type eq {BANK_LEDGER}", "$top": "1"},
                keeps={"ledger": "ID"},
            ),
            judged_post({"GLAccountSales": "{ledger}"}),
        ),
        lambda seen: kept(seen[1], "GLAccountSales"),
        (
            Answer("refused_500", "compare types first", ("ledger_types", "checked")),
            Answer("kept", "types are not checked", ("ledger_types", "any")),
            Answer("null", "read back what was sent"),
        ),
    ),
    Question(
        "reseller_that_is_none",
        "references",
        "Is a reseller refused that is not marked as one?",
        "API 2.4",
        (
            Ask(
                "crm/Accounts", method="POST", body={"Name": "{mark}"}, headers=FULL, keeps={"first": "ID"}, makes=True
            ),
            judged_post({"Reseller": "{first}"}),
        ),
        lambda seen: kept(seen[1], "Reseller"),
        (
            Answer("refused_500", "write the flag first"),
            Answer("kept", "the flag does not matter"),
            Answer("null", "write the flag first, and read back"),
        ),
    ),
    Question(
        "clear_reference",
        "references",
        "Does null empty a reference?",
        "E 4.3: assumed, not seen",
        (
            CONDITIONS,
            post({"PaymentConditionSales": "{condition_trimmed}"}),
            put({"PaymentConditionSales": None}),
            get("PaymentConditionSales"),
        ),
        lambda seen: (
            f"refused_{seen[2].status}"
            if seen[2].status >= 400
            else "kept"
            if seen[3].first["PaymentConditionSales"]
            else "emptied"
        ),
        (
            Answer("emptied", "send null"),
            Answer("kept", "it cannot be emptied so"),
            Answer("refused_500", "it cannot be emptied so"),
        ),
    ),
)

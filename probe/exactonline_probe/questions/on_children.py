"""Contacts, addresses and bank accounts of accounts (E 3.1 to 3.3, 7).

Each question first reads the entity, so that nothing is made where it is not served.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from exactonline_probe.question import FULL, Answer, Ask, Question
from exactonline_probe.questions.on_feeds import REMOVE
from exactonline_probe.questions.on_writing import JUDGED, SYNC, get, moved, post, taken, version_of
from exactonline_probe.replies import Reply, Seen, padding

IBAN, OTHER_IBAN = "NL91ABNA0417164300", "NL20INGB0001234567"
"""Examples of banks, of nobody."""
WHERE = {"AddressLine1": "Kade 1", "Postcode": "3511 AB", "City": "Utrecht", "Country": "NL"}
OF_ACCOUNT = "Account eq guid'{made}'"
NOBODY = "Account eq guid'{new_id}'"


def served(entity: str) -> Ask:
    """Whether the entity can be read at all."""
    return Ask(f"crm/{entity}", {"$select": "ID", "$filter": NOBODY, "$top": "1"})


def add(entity: str, body: Mapping[str, Any], *, name: str = "child", judged: bool = False) -> Ask:
    """Make a row that belongs to the account."""
    return Ask(
        f"crm/{entity}",
        method="POST",
        body={"Account": "{made}", **body},
        headers=FULL,
        keeps={name: "ID"},
        expects=JUDGED if judged else frozenset({200, 201}),
    )


def belonging(entity: str, *members: str, where: str = "") -> Ask:
    """Read the rows that belong to the account."""
    return Ask(
        f"crm/{entity}",
        {"$select": ",".join(("ID", "Account", *members)), "$filter": OF_ACCOUNT + where},
        keeps={"found": "ID"},
    )


def change(entity: str, body: Mapping[str, Any], *, name: str = "child") -> Ask:
    """Change a row that belongs to the account."""
    return Ask(f"crm/{entity}(guid'{{{name}}}')", method="PUT", body=body, expects=JUDGED)


def same_row(first: Reply, second: Reply) -> str:
    """Whether the second POST made a row of its own."""
    if second.status >= 400:
        return f"refused_{second.status}"
    return "same" if first.first["ID"] == second.first["ID"] else "another"


def member_of(reply: Reply, key: str, member: str) -> Any:
    """A member of the row with a key."""
    return next(row[member] for row in reply.rows if row["ID"] == key)


def rows_of_visit_address(seen: Seen) -> str:
    """Whether a change of the visit address shows in its account."""
    if seen[3].status >= 400:
        return taken(seen[3])
    return "one_row" if seen[4].first["City"] == "Ede" else "two_rows"


CONTACT = {"LastName": "{mark}", "FirstName": "Probe"}
DELIVERY = {"Type": 4, **WHERE, "AddressLine2": "Achterom"}
BANK = {"BankAccount": IBAN, "BankAccountHolderName": "{mark}"}
TWO_CONTACTS = (
    served("Contacts"),
    post(),
    add("Contacts", CONTACT, name="first"),
    add("Contacts", {**CONTACT, "IsMainContact": True}, name="second", judged=True),
    get("MainContact"),
    belonging("Contacts", "Code"),
)
WITH_ADDRESS = (
    served("Addresses"),
    post(WHERE),
    belonging("Addresses", "Type", "City", where=" and Type eq 1"),
    change("Addresses", {"City": "Ede"}, name="found"),
    get("City"),
)
TWO_MAIN = (
    served("Addresses"),
    post(WHERE),
    add("Addresses", {**DELIVERY, "Main": True}, name="first"),
    add("Addresses", {**DELIVERY, "AddressLine1": "Kade 3", "Main": True}, name="second"),
    belonging("Addresses", "Type", "Main"),
)
BANK_ACCOUNT = (
    served("BankAccounts"),
    post(),
    add("BankAccounts", BANK),
    belonging("BankAccounts", "BankAccount", "BICCode"),
)
_REFUSED = Answer("refused_500", "look before a second one is sent")

QUESTIONS = (
    Question(
        "first_contact_is_main",
        "children",
        "Does the first contact of an account become its main contact?",
        "E 3.1: recorded",
        TWO_CONTACTS,
        lambda seen: "main" if seen[4].first["MainContact"] == seen.values["first"] else "not_main",
        (
            Answer("main", "no second write for it"),
            Answer("not_main", "write MainContact"),
        ),
    ),
    Question(
        "same_contact_twice",
        "children",
        "Is the same person taken twice?",
        "E 3.1: recorded",
        TWO_CONTACTS,
        lambda seen: same_row(seen[2], seen[3]),
        (Answer("another", "look before a lost answer is repeated"), _REFUSED, Answer("same", "a repeat does no harm")),
    ),
    Question(
        "contact_code",
        "children",
        "Has a contact the code of its account, filled to 18?",
        "E 3.1: recorded",
        TWO_CONTACTS,
        lambda seen: padding(seen[5].first["Code"]),
        (Answer("left_18", "it names its account"), Answer("none", "trimming does no harm")),
    ),
    Question(
        "visit_address",
        "children",
        "Is the visit address one row with its account?",
        "E 3.2: likely, not seen",
        WITH_ADDRESS,
        lambda seen: (
            taken(seen[3]) if seen[3].status >= 400 else "one_row" if seen[4].first["City"] == "Ede" else "two_rows"
        ),
        (
            Answer("one_row", "let the account own it", ("visit_address", "one_row")),
            Answer("two_rows", "write both", ("visit_address", "two_rows")),
        ),
    ),
    Question(
        "other_addresses",
        "children",
        "Does no other address come with a new account?",
        "E 3.2: nothing found",
        (served("Addresses"), post(WHERE), belonging("Addresses", "Type")),
        lambda seen: "none" if {row["Type"] for row in seen[2].rows} <= {1} else "made",
        (
            Answer("none", "make the others", ("other_addresses", "none")),
            Answer("made", "look for them before one is made", ("other_addresses", "made")),
        ),
    ),
    Question(
        "same_address_twice",
        "children",
        "Does a POST of an address that is there name the one that is there?",
        "E 3.2: an official text",
        (served("Addresses"), post(WHERE), add("Addresses", DELIVERY), add("Addresses", DELIVERY, judged=True)),
        lambda seen: same_row(seen[2], seen[3]),
        (Answer("same", "a repeat does no harm"), Answer("another", "look before a repeat"), _REFUSED),
    ),
    Question(
        "address_compared",
        "children",
        "Does another second line make another address?",
        "E 3.2: which members are compared is unknown",
        (
            served("Addresses"),
            post(WHERE),
            add("Addresses", DELIVERY),
            add("Addresses", {**DELIVERY, "AddressLine2": "Voorom"}, judged=True),
        ),
        lambda seen: {"another": "whole", "same": "first_line"}.get(same_row(seen[2], seen[3]), "refused"),
        (
            Answer("whole", "each line counts", ("same_address", "whole")),
            Answer("first_line", "a changed second line is a PUT", ("same_address", "first_line")),
        ),
    ),
    Question(
        "main_siblings",
        "children",
        "Does a main address make the main one before it a common one?",
        "E 3.3: expected, not seen",
        TWO_MAIN,
        lambda seen: "kept" if member_of(seen[4], seen.values["first"], "Main") else "reset",
        (
            Answer("reset", "write the main one last", ("main_siblings", "reset")),
            Answer("kept", "reset the others", ("main_siblings", "kept")),
        ),
    ),
    Question(
        "child_moves_account",
        "children",
        "Does the row version of an account stay when an address is added to it?",
        "E 3.3, 7: unknown",
        (served("Addresses"), post(WHERE), SYNC, add("Addresses", DELIVERY), SYNC),
        lambda seen: f"account_{moved(*(version_of(seen[at], seen.values['made']) for at in (2, 4)))}",
        (
            Answer("account_stays", "follow addresses by themselves", ("child_changes", "account_stays")),
            Answer("account_moves", "the account tells of it", ("child_changes", "account_moves")),
        ),
    ),
    Question(
        "deleted_with_account",
        "children",
        "Does sync/Deleted have a contact that went with its account?",
        "E 3.1: unknown",
        (
            served("Contacts"),
            post(),
            add("Contacts", CONTACT),
            REMOVE,
            Ask("sync/Deleted", {"$select": "EntityKey", "$filter": "Timestamp gt 1L and EntityType eq 5"}),
        ),
        lambda seen: (
            "logged"
            if any(row["EntityKey"] == seen.values["child"] for row in seen[4].rows)
            else None
            if seen[4].next
            else "silent"
        ),
        (
            Answer("logged", "each is told", ("deleted_with_account", "logged")),
            Answer("silent", "forget them with their account", ("deleted_with_account", "silent")),
        ),
    ),
    Question(
        "bank_number_change",
        "children",
        "Is another number in a change refused?",
        "E 3.3: one user could not",
        (
            served("BankAccounts"),
            post(),
            add("BankAccounts", BANK),
            change("BankAccounts", {"BankAccount": OTHER_IBAN}),
        ),
        lambda seen: taken(seen[3]),
        (
            Answer("refused_500", "a new number is a new row", ("bank_number_change", "refused")),
            Answer("taken", "a number can be changed", ("bank_number_change", "taken")),
        ),
    ),
    Question(
        "repeated_bank_number",
        "children",
        "Does a number that the account has make another row?",
        "E 3.3: no text found",
        (served("BankAccounts"), post(), add("BankAccounts", BANK), add("BankAccounts", BANK, judged=True)),
        lambda seen: same_row(seen[2], seen[3]),
        (
            Answer("another", "look before a number is sent", ("repeated_bank_number", "taken")),
            Answer("refused_500", "nothing is doubled", ("repeated_bank_number", "refused")),
            Answer("same", "nothing is doubled"),
        ),
    ),
    Question(
        "bank_numbers_kept",
        "children",
        "Is an IBAN read without blanks?",
        "E 3.3: unknown",
        BANK_ACCOUNT,
        lambda seen: "grouped" if " " in str(seen[3].first["BankAccount"]).strip() else "compact",
        (
            Answer("compact", "compare without blanks", ("bank_numbers_kept", "compact")),
            Answer("grouped", "compare without blanks", ("bank_numbers_kept", "grouped")),
        ),
    ),
    Question(
        "missing_bic",
        "children",
        "Does a BIC that was not sent stay empty?",
        "E 3.3: unknown",
        BANK_ACCOUNT,
        lambda seen: "derived" if seen[3].first["BICCode"] else "stays",
        (
            Answer("stays", "send it", ("missing_bic", "stays")),
            Answer("derived", "an empty one differs from what is there", ("missing_bic", "derived")),
        ),
    ),
    Question(
        "iban_alone",
        "children",
        "Is an IBAN without BankAccount refused?",
        "E 3.3: recorded in 2019",
        (served("BankAccounts"), post(), add("BankAccounts", {"IBAN": IBAN}, judged=True)),
        lambda seen: taken(seen[2]),
        (
            Answer("refused_500", "send BankAccount"),
            Answer("taken", "either"),
            Answer("refused_400", "send BankAccount"),
        ),
    ),
)

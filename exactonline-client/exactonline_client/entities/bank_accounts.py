"""Bank accounts of an account.

Members are those of the reference of July 2025. Exact has no feed of them, and the number of one cannot be changed.
"""

from exactonline_client.entities.model import Blocking, Entity, Field, SameRow
from exactonline_client.entities.traits import (
    ACCOUNT,
    ACCOUNT_CODE,
    COMPACT,
    COPY,
    DIVISION,
    FILTER,
    READ_ONLY,
    RETIRED,
)

FIELDS = (
    Field("ID", "Guid", "key of the bank account", DIVISION | FILTER),
    Field("Account", "Guid", "account it belongs to", DIVISION | FILTER),
    Field("AccountName", "String", "name of that account (no account code on this entity)", READ_ONLY),
    Field("Bank", "Guid", "retired", READ_ONLY | DIVISION | RETIRED),
    Field("BankAccount", "String", "the number; IBAN goes here (spaces out, capitals)", COPY | COMPACT),
    Field("BankAccountHolderName", "String", "holder as the bank knows it", COPY),
    Field("BankDescription", "String", "retired", READ_ONLY | RETIRED),
    Field("BankName", "String", "retired", READ_ONLY | RETIRED),
    Field("BICCode", "String", "BIC; usually derived from the IBAN when left out (not proven)", COPY | COMPACT),
    Field("Blocked", "Boolean", "may not be used"),
    Field("Created", "DateTime", "creation moment, local wall time", READ_ONLY | DIVISION),
    Field("Creator", "Guid", "user who created it", READ_ONLY | DIVISION),
    Field("CreatorFullName", "String", "name of that user", READ_ONLY | DIVISION),
    Field("Description", "String", "own description", COPY),
    Field("Division", "Int32", "company the row lives in", READ_ONLY | DIVISION),
    Field("Format", "String", "kind of number; derived from BankAccount", READ_ONLY),
    Field("IBAN", "String", "retired: writing it fails since spring 2019", READ_ONLY | RETIRED),
    Field("Main", "Boolean", "main bank account of the account", COPY),
    Field("Modified", "DateTime", "last change, local wall time", READ_ONLY | DIVISION),
    Field("Modifier", "Guid", "user who changed it last", READ_ONLY | DIVISION),
    Field("ModifierFullName", "String", "name of that user", READ_ONLY | DIVISION),
    Field("PaymentServiceAccount", "Guid", "payment service account, type P", READ_ONLY | DIVISION),
    Field(
        "Type",
        "String",
        "A account, E employee, K cash, P payment service, R bank, S student, U unknown; only A can be made",
        READ_ONLY,
    ),
    Field("TypeDescription", "String", "that type in words", READ_ONLY),
    ACCOUNT_CODE,
)

BANK_ACCOUNTS = Entity(
    name="bank account",
    stream="bank_accounts",
    path="crm/BankAccounts",
    docs="https://start.exactonline.nl/docs/HlpRestAPIResourcesDetails.aspx?name=CRMBankAccounts",
    declared=FIELDS,
    required=("BankAccount",),
    blocking=Blocking("Blocked", None),
    parent=ACCOUNT,
    same_row=(SameRow(("BankAccount",)),),
    last="Main",
    never_changes=("BankAccount",),
    is_never_deleted=True,
)

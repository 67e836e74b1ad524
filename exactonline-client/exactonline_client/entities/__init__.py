"""What Exact Online's entities look like: one declaration each, with a link to the page that documents it."""

from exactonline_client.entities.accounts import ACCOUNTS
from exactonline_client.entities.addresses import ADDRESSES
from exactonline_client.entities.bank_accounts import BANK_ACCOUNTS
from exactonline_client.entities.contacts import CONTACTS
from exactonline_client.entities.deletions import DELETIONS, deletions_of
from exactonline_client.entities.divisions import DIVISIONS
from exactonline_client.entities.model import Entity, Field, IdentityRule, Likeness, Reference, Trait
from exactonline_client.entities.reference_lists import REFERENCE_LISTS, ReferenceList

CHILDREN = {entity.stream: entity for entity in (CONTACTS, ADDRESSES, BANK_ACCOUNTS)}
"""What belongs to an account, by stream, in the order in which it is written."""
COPIED = {ACCOUNTS.stream: ACCOUNTS, **CHILDREN}
"""The entities that are copied from company to company, by stream, in the order in which they are written."""
MAIN_ROWS = {entity.main.field: entity for entity in CHILDREN.values() if entity.main is not None}
"""The fields of an account that name one of the rows that belong to it, and of which entity."""

__all__ = [
    "ACCOUNTS",
    "ADDRESSES",
    "BANK_ACCOUNTS",
    "CHILDREN",
    "CONTACTS",
    "COPIED",
    "DELETIONS",
    "DIVISIONS",
    "MAIN_ROWS",
    "REFERENCE_LISTS",
    "Entity",
    "Field",
    "IdentityRule",
    "Likeness",
    "Reference",
    "ReferenceList",
    "Trait",
    "deletions_of",
]

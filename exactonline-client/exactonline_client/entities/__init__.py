"""What Exact Online's entities look like: one declaration each, with a link to the page that documents it."""

from exactonline_client.entities.accounts import ACCOUNTS
from exactonline_client.entities.deletions import DELETIONS, deletions_of
from exactonline_client.entities.divisions import DIVISIONS
from exactonline_client.entities.model import Entity, Field, IdentityRule, Likeness, Reference, Trait
from exactonline_client.entities.reference_lists import REFERENCE_LISTS, ReferenceList

__all__ = [
    "ACCOUNTS",
    "DELETIONS",
    "DIVISIONS",
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

"""What a declaration says of a field, in one word each, and how a row says which account it belongs to."""

from exactonline_client.entities.model import Field, Reference, Trait

READ_ONLY = Trait.READ_ONLY
DIVISION = Trait.DIVISION_BOUND
COPY = Trait.SAFE_TO_COPY
RETIRED = Trait.RETIRED
UNDOCUMENTED = Trait.UNDOCUMENTED
FILTER = Trait.FILTERABLE
DAY = Trait.DAY
PERSONAL = Trait.PERSONAL
OVERWRITES = Trait.OVERWRITES
SENSITIVE = Trait.SENSITIVE
COMPACT = Trait.COMPACT
COMPANION = Trait.COMPANION

ACCOUNT = Reference("Account", "accounts", "AccountCode")
"""The account that a row belongs to."""
ACCOUNT_CODE = Field(
    ACCOUNT.travels_as,
    "String",
    "code of the account that it belongs to; the tap adds it",
    READ_ONLY | DIVISION | COMPANION,
)

"""Which streams hold accounts, and columns that are called almost as a property is. Pure."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from exactonline_client.entities import ACCOUNTS, CHILDREN, REFERENCE_LISTS, Entity
from exactonline_client.entities.reference_lists import READ_ALONG
from exactonline_client.errors import ConfigurationError

from mapper_exactonline.settings import KEY_PROPERTIES

RESERVED_STREAMS: Final = frozenset({"divisions", "deleted_accounts", "meltano_test_stream"})
OF_OTHER_ENTITIES: Final = frozenset({*CHILDREN, *REFERENCE_LISTS, *(one.stream for one in READ_ALONG)})
_ASIDE: Final = str.maketrans("", "", " _\ufeff\t\u00a0")
_PROPERTIES: Final = {
    name.lower(): name for name in (*KEY_PROPERTIES, *ACCOUNTS.writable, *ACCOUNTS.by_travelling_name)
}
_OTHER_WORDS: Final = {
    "AddressLine1": "address addressline adres street streetaddress straat rue strasse",
    "ChamberOfCommerce": "kvk kvknummer coc cocnumber handelsregister",
    "City": "town place plaats woonplaats stad ville ort stadt",
    "Code": "number nummer customernumber customerno klantnummer debiteurnummer debtornumber kundennummer",
    "Country": "countrycode land landcode pays",
    "Email": "mail emailaddress mailadres",
    "Fax": "faxnumber faxnummer",
    "Name": "naam customername companyname klantnaam bedrijfsnaam nom firma",
    "Phone": "telephone telefoon telefoonnummer phonenumber tel telefon",
    "Postcode": "zip zipcode postalcode plz codepostal",
    "VATNumber": "vat vatno btw btwnummer tva ustid",
    "Website": "url web homepage websiteurl",
}
"""How others call what Exact's properties hold."""


def is_addressed(key_properties: Sequence[str], entity: Entity = ACCOUNTS) -> bool:
    """Whether each record of a stream with these keys already says where it goes."""
    return set(entity.key_properties) <= set(key_properties)


def near_misses(columns: Iterable[str]) -> dict[str, str]:
    """Columns that are a property but for case, blanks, underscores or a byte order mark → the property.

    A property that has a column of its own is missed by none.
    """
    names = list(columns)
    found: dict[str, str] = {}
    for name in names:
        meant = _PROPERTIES.get(name.translate(_ASIDE).lower())
        if meant is not None and meant not in names and meant not in found.values():
            found[name] = meant
    return found


def passed_over(columns: Iterable[str], entity: Entity = ACCOUNTS) -> str | None:
    """Columns that are no property of an entity, each with the nearest one, as a part of a sentence; None for none.

    What Singer adds to a record (_sdc_…) is none of them.
    """
    names = list(columns)
    known = {*entity.fields, *entity.key_properties}
    unknown = [name for name in names if name not in known and not name.startswith("_sdc_")]
    if not unknown:
        return None
    offered = entity.writable
    words = {word: name for name, listed in _OTHER_WORDS.items() if name in offered for word in listed.split()}
    words |= {name.lower(): name for name in offered}
    free = {word: name for word, name in words.items() if name not in names}
    shown = []
    for name in unknown:
        close = difflib.get_close_matches(name.translate(_ASIDE).lower().replace("-", ""), free, n=1, cutoff=0.75)
        shown.append(f"{name} (the nearest property: {free[close[0]]})" if close else name)
    return ", ".join(shown)


def stream_map(stream: str, columns: Mapping[str, str]) -> str:
    """The setting `stream_maps` that gives columns the names of their properties."""
    terms = {meant: column if column.isidentifier() else f"record[{column!r}]" for column, meant in columns.items()}
    return json.dumps({stream: terms})


class Streams:
    """The streams of one run that are taken for accounts.

    Those that the settings name; without it `accounts`, or a stream of another name if it is the only one with a Code.
    """

    def __init__(self, named: Sequence[str] | None) -> None:
        self._named = named
        self._taken: list[str] = []

    def takes(self, stream: str, key_properties: Sequence[str], columns: Iterable[str]) -> bool:
        """Whether the records of this stream, which do not say where they go, are accounts.

        Raises:
            ConfigurationError: It has almost a Code, or other columns that are almost properties; or it is not the only
                stream with a Code, and the settings do not say which is meant.
        """
        if stream in RESERVED_STREAMS or is_addressed(key_properties):
            return False
        names = list(columns)
        if self._named is not None:
            if stream not in self._named:
                return False
            check_columns(stream, names)
            if "Code" not in names:
                raise ConfigurationError(f"streams: {stream} has no column Code. Map one to it with stream_maps.")
            return True
        if stream in OF_OTHER_ENTITIES or "Code" not in (*names, *near_misses(names).values()):
            return False
        check_columns(stream, names)
        self.note(stream)
        if len(self._taken) > 1:
            raise ConfigurationError(
                f"The streams {' and '.join(self._taken)} all have a Code, and nothing says which hold customers. "
                f'Name those that do in the setting streams (of fan_out, or of the mapping step): ["{self._taken[0]}"].'
            )
        return True

    def takes_child(self, stream: str, columns: Iterable[str]) -> bool:
        """Whether the records of a stream belong to accounts: it has the name of one of Exact's, and says to which.

        Raises:
            ConfigurationError: The settings name it, and it does not say to which account each record belongs.
        """
        entity = CHILDREN.get(stream)
        if entity is None or (self._named is not None and stream not in self._named):
            return False
        if entity.known_by in set(columns):
            return True
        if self._named is None:
            return False
        raise ConfigurationError(
            f"streams: {stream} has no column {entity.known_by}, which says to which account each record belongs. Map "
            "one to it with stream_maps."
        )

    def note(self, stream: str) -> None:
        """Note that a stream is taken, here or by the mapping step."""
        if stream not in self._taken:
            self._taken.append(stream)


def check_columns(stream: str, columns: Iterable[str]) -> None:
    """Refuse a stream with columns that are called almost as a property is: they would be passed over in silence.

    Raises:
        ConfigurationError: It has some; the sentence shows the map that names them right.
    """
    if missed := near_misses(columns):
        listed = ", ".join(f"{column!r} for {meant}" for column, meant in missed.items())
        raise ConfigurationError(
            f"The stream {stream} has {listed}: Exact's properties are written just so, and a column of another name "
            "is passed over. Name them in the setting stream_maps of the tap or target: "
            f"{stream_map(stream, missed)}, or leave one out as {json.dumps({next(iter(missed)): '__NULL__'})}."
        )

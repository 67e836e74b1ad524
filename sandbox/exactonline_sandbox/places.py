"""Countries, provinces and languages, as far as the imitation needs them. Codes are ISO 3166 and 639.

That Exact uses ISO's subdivision codes outside the Netherlands is an assumption.
"""

_ISO_COUNTRIES = (
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT "
    "BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH "
    "ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT "
    "HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS "
    "LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI "
    "NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG "
    "SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG "
    "UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW "
)
_ISO_STATES = {
    "NL": "DR FL FR GE GR LI NB NH OV UT ZE ZH",
    "BE": "BRU VAN VBR VLI VOV VWV WBR WHT WLG WLX WNA",
    "DE": "BB BE BW BY HB HE HH MV NI NW RP SH SL SN ST TH",
}

COUNTRIES = frozenset(_ISO_COUNTRIES.split())

_STATES = {country: frozenset(codes.split()) for country, codes in _ISO_STATES.items()}

_COUNTRY_NAMES = {
    "NL": ("Nederland", "Netherlands"),
    "BE": ("België", "Belgium"),
    "DE": ("Duitsland", "Germany"),
    "FR": ("Frankrijk", "France"),
    "GB": ("Verenigd Koninkrijk", "United Kingdom"),
    "LU": ("Luxemburg", "Luxembourg"),
    "ES": ("Spanje", "Spain"),
    "US": ("Verenigde Staten", "United States"),
}
_LANGUAGE_NAMES = {
    "NL": ("Nederlands", "Dutch"),
    "EN": ("Engels", "English"),
    "DE": ("Duits", "German"),
    "FR": ("Frans", "French"),
    "ES": ("Spaans", "Spanish"),
}
# The language that a contact gets in a country, else English (R for France). Whether the account's country decides is
# not known.
LANGUAGE_OF = {
    **dict.fromkeys(("NL", "BE"), "NL"),
    **dict.fromkeys(("DE", "AT", "CH"), "DE"),
    **dict.fromkeys(("FR", "LU"), "FR"),
    "ES": "ES",
}
_CURRENCY_NAMES = {
    "EUR": ("Euro", "Euro"),
    "USD": ("Amerikaanse dollar", "US dollar"),
    "GBP": ("Pond sterling", "Pound sterling"),
}


def may_be_state(country: str | None, state: str) -> bool | None:
    """Whether a country has such a state; None where this table does not know the country."""
    states = _STATES.get(country or "")
    return None if states is None else state in states


def described(kind: str, code: str | None, *, dutch: bool) -> str | None:
    """A country, language or currency in words; None where the table has none."""
    names = {"country": _COUNTRY_NAMES, "language": _LANGUAGE_NAMES, "currency": _CURRENCY_NAMES}[kind]
    found = names.get(code or "")
    return None if found is None else found[0 if dutch else 1]

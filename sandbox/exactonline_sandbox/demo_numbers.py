"""Made-up numbers for the demo world that pass the arithmetic an accountant's software applies.

They are drawn at random, so one may by chance belong to a real company; none was looked up.
"""

import random
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

_NL_POSTCODE_LETTERS = "ABCDEGHJKLMNPRSTVWXZ"
_NL_BANKS = ("ABNA", "INGB", "RABO", "TRIO")
_NL_POSTCODE_NEVER = {"SA", "SD", "SS"}


class Dice:
    """Random draws that come out the same on every Python version.

    Python promises a stable sequence for `Random.random()` alone, so all else is built on that.
    """

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed).random  # noqa: S311 - made-up data, nothing secret

    def below(self, limit: int) -> int:
        """A whole number from 0 up to, not including, the limit."""
        return int(self._random() * limit)

    def between(self, first: int, last: int) -> int:
        """A whole number from first to last, both included."""
        return first + self.below(last - first + 1)

    def chance(self, share: float) -> bool:
        """True in this share (0 to 1) of the draws."""
        return self._random() < share

    def pick(self, choices: Sequence[T]) -> T:
        """One of the choices."""
        return choices[self.below(len(choices))]

    def different(self, choices: Sequence[T], count: int) -> list[T]:
        """That many of the choices, no two the same."""
        left = list(choices)
        return [left.pop(self.below(len(left))) for _ in range(count)]

    def digits(self, count: int) -> str:
        """A text of that many digits, the first not 0."""
        return str(self.between(10 ** (count - 1), 10**count - 1))


def rsin(dice: Dice) -> str:
    """A Dutch fiscal number of a legal person: nine digits that pass the test by eleven."""
    while True:
        head = dice.digits(8)
        last = sum(weight * int(digit) for weight, digit in zip(range(9, 1, -1), head, strict=True)) % 11
        if last < 10:
            return f"{head}{last}"


def nl_vat_of_company(fiscal_number: str) -> str:
    """The Dutch VAT number of a company: its fiscal number between NL and B01."""
    return f"NL{fiscal_number}B01"


def nl_vat_of_sole_trader(dice: Dice) -> str:
    """A Dutch VAT number of a natural person (since 2020): all of it passes ISO 7064 mod 97-10."""
    while True:
        nine = dice.digits(9)
        # Letters count as N=23, L=21, B=11; the whole, check digits included, must be 1 modulo 97.
        check = (1 - int(f"2321{nine}1100")) % 97
        if check >= 2:  # two digits from 02 to 98 are issued
            return f"NL{nine}B{check:02}"


def kvk(dice: Dice) -> str:
    """A Dutch chamber-of-commerce number: eight digits, without a check digit."""
    return dice.digits(8)


def kbo(dice: Dice) -> str:
    """A Belgian enterprise number: ten digits from 0, the last two 97 minus the rest modulo 97."""
    head = f"0{dice.between(2_000_000, 7_999_999)}"
    return f"{head}{97 - int(head) % 97:02}"


def de_vat(dice: Dice) -> str:
    """A German VAT number: DE, eight digits and the check digit of ISO 7064 mod 11,10."""
    head = dice.digits(8)
    product = 10
    for digit in head:
        product = ((int(digit) + product) % 10 or 10) * 2 % 11
    return f"DE{head}{(11 - product) % 10}"


def nl_postcode(dice: Dice, district: str) -> str:
    """A Dutch postcode in this district of four digits, such as `1012 AB`."""
    while True:
        letters = dice.pick(_NL_POSTCODE_LETTERS) + dice.pick(_NL_POSTCODE_LETTERS)
        if letters not in _NL_POSTCODE_NEVER:
            return f"{district} {letters}"


def iban(dice: Dice, country: str) -> str:
    """A Dutch, Belgian or German IBAN whose check digits are right; so is the number within a Belgian one."""
    if country == "BE":
        number = dice.digits(10)
        number += f"{int(number) % 97 or 97:02}"
    else:
        number = f"{dice.pick(_NL_BANKS)}0{dice.digits(9)}" if country == "NL" else dice.digits(18)
    as_digits = "".join(str(int(character, 36)) for character in f"{number}{country}00")
    return f"{country}{98 - int(as_digits) % 97:02}{number}"

"""The tree of a `$filter`, read by recursive descent (dossier 5.1); whether an entity takes it is decided elsewhere."""

from collections.abc import Iterator
from dataclasses import dataclass

from exactonline_sandbox.call import NotImitatedError, Refusal
from exactonline_sandbox.filter_tokens import SYNTAX, Word, words

_COMPARISONS = {"eq", "ne", "gt", "ge", "lt", "le"}
_FUNCTIONS = {"substringof": 2, "startswith": 2, "endswith": 2, "trim": 1}


@dataclass(frozen=True, slots=True)
class Field:
    """A property of the row."""

    name: str


@dataclass(frozen=True, slots=True)
class Function:
    """A function over fields and literals."""

    name: str
    arguments: tuple["Operand", ...]


@dataclass(frozen=True, slots=True)
class Compare:
    """One side against the other."""

    operator: str
    left: "Operand"
    right: "Operand"


@dataclass(frozen=True, slots=True)
class Both:
    """`and`, or with `any_of` `or`."""

    left: "Node"
    right: "Node"
    any_of: bool


Operand = Field | Function | Word
Node = Compare | Both | Function


class Parser:
    """Recursive descent: or < and < comparison < operand."""

    def __init__(self, text: str) -> None:
        self._words: list[Word] = list(words(text))
        self._at = 0

    def whole(self) -> Node:
        """The tree of the whole text; 400 for what is no filter, 501 for what nobody described."""
        node = self._either()
        if self._at != len(self._words):
            self._refuse_word(self._words[self._at])
        return node

    def _either(self) -> Node:
        node = self._all()
        while self._take("name", "or"):
            node = Both(node, self._all(), any_of=True)
        return node

    def _all(self) -> Node:
        node = self._one()
        while self._take("name", "and"):
            node = Both(node, self._one(), any_of=False)
        return node

    def _one(self) -> Node:
        if self._take("sign", "("):
            node = self._either()
            if not self._take("sign", ")"):
                raise Refusal(400, SYNTAX)
            return node
        left = self._operand()
        word = self._peek()
        if word and word.kind == "name" and word.value in _COMPARISONS:
            self._at += 1
            return Compare(word.value, left, self._operand())
        if isinstance(left, Function) and left.name != "trim":
            return left
        if word:
            self._refuse_word(word)
        raise Refusal(400, SYNTAX)

    def _operand(self) -> Operand:
        word = self._peek()
        if word is None or word.kind == "sign":
            raise Refusal(400, SYNTAX)
        self._at += 1
        if word.kind != "name":
            return word
        if word.value == "not":
            raise NotImitatedError("the operator not in $filter")
        if self._take("sign", "("):
            return self._function(word.value)
        if "/" in word.value:
            raise Refusal(400, SYNTAX)  # a navigation property: "not supported" (dossier 5.1)
        return Field(word.value)

    def _function(self, name: str) -> Function:
        if name not in _FUNCTIONS:
            raise NotImitatedError(f"the function {name}() in $filter")
        arguments = [self._operand()]
        while self._take("sign", ","):
            arguments.append(self._operand())
        if len(arguments) != _FUNCTIONS[name] or not self._take("sign", ")"):
            raise Refusal(400, SYNTAX)
        return Function(name, tuple(arguments))

    def _peek(self) -> Word | None:
        return self._words[self._at] if self._at < len(self._words) else None

    def _take(self, kind: str, value: str) -> bool:
        word = self._peek()
        if word is None or word.kind != kind or word.value != value:
            return False
        self._at += 1
        return True

    @staticmethod
    def _refuse_word(word: Word) -> None:
        if word.kind == "name" and word.value in {"add", "sub", "mul", "div", "mod"}:
            raise NotImitatedError(f"the operator {word.value} in $filter")
        raise Refusal(400, SYNTAX)


def fields_in(node: Node | Operand) -> Iterator[str]:
    """The property names that a filter touches."""
    match node:
        case Field(name):
            yield name
        case Function(_, arguments):
            for argument in arguments:
                yield from fields_in(argument)
        case Compare(_, left, right) | Both(left, right):
            yield from fields_in(left)
            yield from fields_in(right)

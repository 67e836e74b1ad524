"""`$filter`: held against the entity's rules, and turned into a test of rows (dossier 5.1, 5.3)."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from exactonline_sandbox.call import Refusal
from exactonline_sandbox.edm import encoder
from exactonline_sandbox.filter_tokens import SYNTAX, Word
from exactonline_sandbox.filter_tree import Both, Compare, Field, Function, Node, Operand, Parser, fields_in
from exactonline_sandbox.properties import Entity

Row = Mapping[str, Any]

_KIND_OF = {
    "Edm.Guid": "guid",
    "Edm.String": "text",
    "Edm.DateTime": "datetime",
    "Edm.Boolean": "bool",
    **dict.fromkeys(("Edm.Byte", "Edm.Int16", "Edm.Int32", "Edm.Int64", "Edm.Double"), "number"),
}


@lru_cache(maxsize=512)
def parse_filter(text: str, entity: Entity) -> Node:
    """The tree of a filter that this entity takes.

    Raises:
        Refusal: 400, with the texts of dossier 4.4.
        NotImitatedError: A function or operator of which nothing is known.
    """
    node = Parser(text).whole()
    for name in fields_in(node):
        known = entity.properties.get(name)
        if known is None:
            raise Refusal(400, SYNTAX)
    closed = dict.fromkeys(name for name in fields_in(node) if not entity.properties[name].filterable)
    if closed:
        raise Refusal(400, f"Filtering on these fields is not supported: {', '.join(closed)}")
    _check_kinds(node, entity)
    return node


def filter_rule_text(entity: Entity) -> str:
    """What Exact says to a list call without a filter where one is mandatory (PICQER #591, of 2022)."""
    names = sorted(entity.filterable, key=str.lower)
    if "Classification" in names:  # the one name out of its alphabetical place in the text seen
        names.remove("Classification")
        names.insert(names.index("Classification8") + 1, "Classification")
    return (
        "This endpoint has mandatory filtering applied. A GET request for this endpoint must have a $filter parameter "
        "with one of the following fields "
        f"in the url:{','.join(names)}."
    )


def _check_kinds(node: Node, entity: Entity) -> None:
    match node:
        case Both(left, right):
            _check_kinds(left, entity)
            _check_kinds(right, entity)
        case Function():
            _kind(node, entity)
        case Compare(_, left, right):
            kinds = {_kind(left, entity), _kind(right, entity)}
            no_literal = not any(isinstance(side, Word) for side in (left, right))
            if len(kinds - {"null"}) > 1 or no_literal or not {*fields_in(left), *fields_in(right)}:
                raise Refusal(400, SYNTAX)


def _kind(operand: Operand, entity: Entity) -> str:
    match operand:
        case Field(name):
            return _KIND_OF.get(entity.properties[name].edm, "none")
        case Function(name, arguments):
            if any(_kind(argument, entity) != "text" for argument in arguments):
                raise Refusal(400, SYNTAX)
            return "text" if name == "trim" else "bool"
        case Word(kind, _):
            return kind


@lru_cache(maxsize=512)
def row_test(node: Node, entity: Entity) -> Callable[[Row], bool]:
    """A test of kept rows. Text counts with its padding; like SQL Server, blanks at the end do not count,
    and a comparison with null is not true.
    """
    match node:
        case Both(left, right, any_of):
            first, second = row_test(left, entity), row_test(right, entity)
            if any_of:
                return lambda row: first(row) or second(row)
            return lambda row: first(row) and second(row)
        case Function():
            function = _reader(node, entity)
            return lambda row: function(row) is True
        case Compare(operator, left, right):
            get_left, get_right = _reader(left, entity), _reader(right, entity)
            nulls = Word("null", None) in (left, right)
            return lambda row: _holds(operator, get_left(row), get_right(row), with_null=nulls)


def _holds(operator: str, left: Any, right: Any, *, with_null: bool) -> bool:
    if left is None or right is None:
        same = left is None and right is None
        return with_null and ((operator == "eq" and same) or (operator == "ne" and not same))
    if isinstance(left, str):
        left, right = left.rstrip(), right.rstrip()
    match operator:
        case "eq":
            return bool(left == right)
        case "ne":
            return bool(left != right)
        case "gt":
            return bool(left > right)
        case "ge":
            return bool(left >= right)
        case "lt":
            return bool(left < right)
        case _:
            return bool(left <= right)


def _reader(operand: Operand, entity: Entity) -> Callable[[Row], Any]:
    match operand:
        case Field(name):
            known = entity.properties[name]
            padded = encoder(known) if known.padding else None
            if padded is None:
                return lambda row: row.get(name)
            return lambda row: None if row.get(name) is None else padded(row[name])
        case Function(name, arguments):
            readers = [_reader(argument, entity) for argument in arguments]
            return lambda row: _apply(name, [read(row) for read in readers])
        case Word(_, value):
            return lambda row: value


def _apply(name: str, values: list[str | None]) -> Any:
    if None in values:
        return None
    texts = [value for value in values if value is not None]
    match name:
        case "trim":
            return texts[0].strip()
        case "substringof":
            return texts[0] in texts[1]
        case "startswith":
            return texts[0].startswith(texts[1])
        case _:
            return texts[0].endswith(texts[1])


def bound_by(node: Node | None, name: str, operators: frozenset[str]) -> Any:
    """The literal that an `and`-part of the filter holds the field against, to narrow a search; None if none does.

    Several parts on one field: the first, which narrows enough; the whole filter is tested anyway.
    """
    match node:
        case Both(left, right, any_of=False):
            found = bound_by(left, name, operators)
            return found if found is not None else bound_by(right, name, operators)
        case Compare(operator, Field(field), Word(_, value)) if field == name and operator in operators:
            return value
        case Compare("eq", Function("trim", (Field(field),)), Word(_, value)) if field == name and "eq" in operators:
            return value
    return None

"""Reasons why two records are of two parties, in words that show the evidence; None where they may be of one. Pure."""

from __future__ import annotations

from exactonline_client.entities import Entity, IdentityRule
from exactonline_client.odata import Row

from target_exactonline.planning.identity import Evidence, evidence, roles_of
from target_exactonline.planning.model import Holder

WAY_OUT = "Give one of them another code, or set on_collision to overwrite."

WAYS_OUT = "Or decide: tie it to an account (tie), or leave it out (leave-out)."


def at_first_contact(entity: Entity, source: Row, existing: Row) -> str | None:
    """Return why a row under the code of a source record, which is nobody's copy yet, is another party's."""
    other = other_party(entity, source, existing)
    return other and f"The code belongs to another party here: {other}. {WAY_OUT}"


def other_party(entity: Entity, source: Row, existing: Row) -> str | None:
    """Return both parties with what shows that they are two.

    They are one if their names agree or a single piece of evidence does; but not with two registered numbers under two
    names, and not when one is only a supplier and the other only a customer.
    """
    rule = entity.identity
    if rule is None:
        return None
    found = evidence(rule, source, existing)
    if contradiction := _registered_apart(rule, found, source, existing):
        return contradiction
    if apart := _apart_by_role(rule, source, existing):
        return apart
    if found.differs and not found.agrees:
        return f"{_party(rule, existing)}, where the source has {_party(rule, source)}; {_listed(found.differs)}"
    return None


def became_another(entity: Entity, source: Row, existing: Row) -> str | None:
    """Return why a write to a tied row would turn one party into another.

    The tie is evidence itself, so both are needed: two registered numbers under two names, and nothing that agrees.
    """
    rule = entity.identity
    if rule is None:
        return None
    found = evidence(rule, source, existing)
    apart = None if found.agrees else _registered_apart(rule, found, source, existing)
    return apart and (
        f"It would turn one party into another: the row is {apart}. Set the name right on one side, or set "
        "on_collision to overwrite."
    )


def held_by_another(code: str, holder: Holder) -> str:
    """Return why a row that is another source record's copy is not written to."""
    return (
        f"The code {code} belongs here to {_named(holder)}, another source record. Give one of them another code at "
        "the source."
    )


def found_of_another(rule: str, code: str, holder: Holder) -> str:
    """Return why a row that a rule finds is not written to: it is another source record's copy."""
    return f"{rule} finds account {code} here, which is the copy of {_named(holder)}, another source record. {WAYS_OUT}"


def found_by_another(rule: str, code: str, better: str, holder: Holder) -> str:
    """Return why a row that a rule finds is not written to: a better rule gives it to another source record."""
    return (
        f"{rule} finds account {code} here, which {better} gives to {_named(holder)}, another source record. {WAYS_OUT}"
    )


def taken(code: str, name: object, why: str) -> str:
    """Return why a record is not created under its code."""
    whose = repr(name) if name else "an account without a name"
    return f"The code {code} is taken here by {whose}, and {why}. Give one of them another code. {WAYS_OUT}"


def claimed_by_another(code: str, rival: Holder) -> str:
    """Return why of two source records with one code this one is not written."""
    return f"{_named(rival)} at the source has the code {code} too, and came first. Give one of them another code."


def not_free(code: str, row_code: str | None, holder: Holder | None) -> str:
    """Return why a record whose code changed is not created under the new one."""
    whose = _named(holder) if holder is not None else "another row"
    return (
        f"Its code changed at the source from {row_code} to {code}, which belongs here to {whose}. Give one of them "
        "another code."
    )


def _registered_apart(rule: IdentityRule, found: Evidence, source: Row, existing: Row) -> str | None:
    if not found.names_differ:
        return None
    for name in rule.decisive:
        if name in found.differs:
            return (
                f"{existing.get(rule.name)!r} with {name} {existing[name]}, where the source has "
                f"{source.get(rule.name)!r} with {source[name]}"
            )
    return None


def _apart_by_role(rule: IdentityRule, source: Row, existing: Row) -> str | None:
    ours, theirs = roles_of(rule, source), roles_of(rule, existing)
    if ours is None or theirs is None or not len(ours) == len(theirs) == 1 or ours == theirs:
        return None
    return (
        f"{existing.get(rule.name)!r} is only a {', '.join(theirs)}, where the source has {source.get(rule.name)!r}, "
        f"only a {', '.join(ours)}"
    )


def _party(rule: IdentityRule, values: Row) -> str:
    return repr(values[rule.name]) if values.get(rule.name) else "a party without a name"


def _listed(differs: tuple[str, ...]) -> str:
    names = f"{', '.join(differs[:-1])} and {differs[-1]}" if len(differs) > 1 else differs[0]
    return f"nothing that identifies them agrees ({names} {'differ' if len(differs) > 1 else 'differs'})"


def _named(holder: Holder) -> str:
    return holder.name or f"{holder.source.id} of {holder.source.division}"

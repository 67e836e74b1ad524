"""What a question is: requests, what is looked at in their answers, and what each possible answer means. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from exactonline_probe.replies import Seen

Method = Literal["GET", "POST", "PUT", "DELETE"]
Group = Literal["reading", "writing", "feeds", "children", "references", "xml", "limits"]
GROUPS: tuple[Group, ...] = ("reading", "writing", "feeds", "children", "references", "xml", "limits")
"""In the order in which they are asked: what spends calls and errors comes last."""

JSON: Mapping[str, str] = {"Accept": "application/json"}
FULL: Mapping[str, str] = {**JSON, "Prefer": "return=representation"}
DONE = frozenset({200, 201, 204})
Switch = tuple[str, Any]
_NAME = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Ask:
    """One request. Texts may hold names in braces, which stand for what the run knows or an earlier answer gave."""

    path: str
    """Below the company's own address, or from the site's root if it begins with a slash."""
    query: Mapping[str, str] = field(default_factory=dict)
    method: Method = "GET"
    body: Mapping[str, Any] | str | None = None
    headers: Mapping[str, str] = field(default_factory=lambda: JSON)
    keeps: Mapping[str, str] = field(default_factory=dict)
    """Name → member of the first row: what later requests and the look need of the answer."""
    expects: frozenset[int] = DONE
    """Statuses of which the question itself makes something."""
    is_error: bool = False
    """Whether Exact most probably answers with an error that counts."""
    times: int = 1
    """How often it is sent at most, until it is answered otherwise than with 200."""
    spends: Literal["nothing", "minute", "contract"] = "nothing"
    """The limit that it spends by being sent so often; only for the minute's it does not wait."""
    makes: bool = False
    """Whether it makes an account, whose name begins with `mark`."""
    after_seconds: float = 0
    """What must pass before it is sent, so that moments can be told apart."""

    @property
    def title(self) -> str:
        """Method and address as declared, without any value."""
        query = "&".join(f"{name}={value}" for name, value in self.query.items())
        return f"{self.method} {self.path}{'?' if query else ''}{query}"

    @property
    def needs(self) -> frozenset[str]:
        """The names in braces."""
        texts = [self.path, *self.query.values(), *_texts(self.body), *self.headers.values()]
        return frozenset(name for text in texts for name in _NAME.findall(text))


@dataclass(frozen=True, slots=True)
class Refresh:
    """One use of the stored login's refresh token, by the client's own code: when it is due, or too early."""

    when: Literal["due", "early"]
    expects: frozenset[int] = frozenset({200, 400, 401})
    is_error: bool = False
    times: int = 1
    needs: frozenset[str] = frozenset()

    @property
    def title(self) -> str:
        """What is sent, in words."""
        return f"POST /api/oauth2/token ({'when it is due' if self.when == 'due' else 'before it is due'})"


@dataclass(frozen=True, slots=True)
class Answer:
    """One possible answer, and what follows from it."""

    label: str
    means: str
    """For whoever writes a client."""
    switch: Switch | None = None
    """Name and value of the sandbox's switch that makes it answer so."""


@dataclass(frozen=True, slots=True)
class Question:
    """One small experiment. Its first answer is what the project assumes."""

    id: str
    group: Group
    text: str
    doubt: str
    """Where it is from: API is the project's dossier, E its part on references and further entities."""
    asks: tuple[Ask | Refresh, ...]
    look: Callable[[Seen], str | None]
    """The label of the answer, or None where what came does not decide it."""
    answers: tuple[Answer, ...]

    @property
    def assumed(self) -> Answer:
        """What the project takes for granted until somebody has asked."""
        return self.answers[0]

    @property
    def spends_contract(self) -> bool:
        """Whether it goes on until the day of the contract is spent."""
        return any(isinstance(ask, Ask) and ask.spends == "contract" for ask in self.asks)

    @property
    def writes(self) -> bool:
        """Whether anything but reading is asked of the company."""
        return any(isinstance(ask, Ask) and ask.method != "GET" for ask in self.asks)

    @property
    def calls(self) -> int:
        """Requests at most."""
        return sum(ask.times for ask in self.asks)

    @property
    def makes(self) -> int:
        """Accounts that it makes at most."""
        return sum(isinstance(ask, Ask) and ask.makes for ask in self.asks)

    @property
    def errors(self) -> int:
        """Errors that it most probably costs."""
        return sum(ask.is_error for ask in self.asks)

    def answer(self, label: str) -> Answer | None:
        """The answer of this label, or None for one that nobody expected."""
        return next((one for one in self.answers if one.label == label), None)


def _texts(body: Mapping[str, Any] | str | None) -> list[str]:
    if body is None or isinstance(body, str):
        return [body] if body else []
    return [value for value in body.values() if isinstance(value, str)]


@dataclass(frozen=True, slots=True)
class Filled:
    """A request whose names are replaced by values."""

    method: Method
    path: str
    query: Mapping[str, str]
    body: Mapping[str, Any] | str | None = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)


def filled(ask: Ask, values: Mapping[str, str]) -> Filled:
    """The request with its values.

    Raises:
        KeyError: One of them is not known.
    """
    body = ask.body
    if isinstance(body, str):
        body = body.format_map(values)
    elif body is not None:
        body = {name: one.format_map(values) if isinstance(one, str) else one for name, one in body.items()}
    return Filled(
        ask.method,
        ask.path.format_map(values),
        {name: value.format_map(values) for name, value in ask.query.items()},
        body,
        {name: value.format_map(values) for name, value in ask.headers.items()},
    )

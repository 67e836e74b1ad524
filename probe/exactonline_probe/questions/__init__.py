"""All questions, by group and in the order in which they are asked."""

from __future__ import annotations

from exactonline_probe.question import GROUPS, Question
from exactonline_probe.questions import on_answers, on_codes, on_companies, on_lists, on_schema, on_writing

_EVERY: tuple[Question, ...] = (
    *on_companies.QUESTIONS,
    *on_answers.QUESTIONS,
    *on_lists.QUESTIONS,
    *on_schema.QUESTIONS,
    *on_writing.QUESTIONS,
    *on_codes.QUESTIONS,
)
QUESTIONS = tuple(sorted(_EVERY, key=lambda one: GROUPS.index(one.group)))

"""All questions, by group and in the order in which they are asked."""

from __future__ import annotations

from exactonline_probe.question import GROUPS, Question
from exactonline_probe.questions import (
    on_answers,
    on_children,
    on_codes,
    on_companies,
    on_feeds,
    on_limits,
    on_lists,
    on_references,
    on_schema,
    on_writing,
    on_xml,
)

_READING = (*on_companies.QUESTIONS, *on_answers.QUESTIONS, *on_lists.QUESTIONS, *on_schema.QUESTIONS)
_WRITING = (*on_writing.QUESTIONS, *on_codes.QUESTIONS, *on_feeds.QUESTIONS, *on_children.QUESTIONS)
_OTHERS = (*on_references.QUESTIONS, *on_xml.QUESTIONS, *on_limits.QUESTIONS)
_EVERY: tuple[Question, ...] = (*_READING, *_WRITING, *_OTHERS)
QUESTIONS = tuple(sorted(_EVERY, key=lambda one: GROUPS.index(one.group)))

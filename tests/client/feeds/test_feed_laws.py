"""The law of the reader: after a reading that was acknowledged, the consumer holds what Exact holds, whatever came."""

from __future__ import annotations

import atexit
from datetime import datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from exact_model import COMPANY, ExactModel
from exactonline_client.entities import ACCOUNTS
from exactonline_client.feeds import memory
from exactonline_client.feeds.bookmark import Position
from exactonline_client.feeds.reader import FeedReader
from exactonline_client.store import Store
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from sqlalchemy import delete

KEYS = st.sampled_from("abcdefg")
PIPELINES = st.sampled_from([0, 0, 0, 1])
MINUTES = st.sampled_from([1, 10, 35, 59, 70, 600])
EVENTS = [
    *("write", "begin", "commit", "wait") * 4,
    *("delete", "back_up", "restore") * 2,
    *("move", "rest", "lose_store"),
]


@cache
def store() -> Store:
    """One for all examples, since making one takes longer than an example."""
    folder = TemporaryDirectory()
    atexit.register(folder.cleanup)
    return Store.open(f"sqlite:///{Path(folder.name) / 'store.db'}", memory.metadata)


class Pipeline:
    """A consumer with a state of its own."""

    def __init__(self) -> None:
        self.holds: dict[str, int] = {}
        self.position = Position()
        self.earlier = [Position()]

    def acknowledge(self, position: Position) -> None:
        self.position = Position.of_json(position.as_json())
        self.earlier.append(self.position)


class Feeds(RuleBasedStateMachine):
    @initialize(seed=st.integers(0, 2**32))
    def start(self, seed: int) -> None:
        self.exact = ExactModel(seed)
        self.store = store()
        self.lose_store()
        self.reader = FeedReader(self.exact, self.store, COMPANY, ACCOUNTS)  # type: ignore[arg-type]
        self.known: set[str] = set()
        self.pipelines = [Pipeline(), Pipeline()]

    @rule(what=st.sampled_from(EVENTS), key=KEYS, minutes=MINUTES)
    def happens(self, what: str, key: str, minutes: int) -> None:
        """Something that people, Exact or the passing time do."""
        match what:
            case "write" | "begin" | "delete":
                getattr(self.exact, what)(key)
            case "commit" | "back_up" | "restore" | "move":
                getattr(self.exact, what)()
            case "wait":
                self.exact.pass_minutes(minutes)
            case "rest":
                self.exact.pass_minutes(70 * 1440)
            case "lose_store":
                self.lose_store()

    def lose_store(self) -> None:
        with self.store.write() as connection:
            for table in (memory.feed_rows, memory.feed_series):
                connection.execute(delete(table))

    @rule(which=PIPELINES, back=st.integers(1, 5))
    def set_state_back(self, which: int, back: int) -> None:
        """A state by hand, or none; after that, those of before are lost."""
        pipeline = self.pipelines[which]
        pipeline.earlier = pipeline.earlier[: max(1, len(pipeline.earlier) - back)]
        pipeline.position = pipeline.earlier[-1]

    @rule(which=PIPELINES, pages=st.integers(1, 4), arrives=st.booleans())
    def read_and_be_killed(self, which: int, pages: int, arrives: bool) -> None:
        """After some pages, or all of it, which may have arrived; nobody acknowledges."""
        self._read(self.pipelines[which], pages, arrives)

    @rule(which=PIPELINES)
    def read(self, which: int) -> None:
        pipeline = self.pipelines[which]

        reading = self._read(pipeline, None)

        assert reading is not None
        if reading.position is None:
            assert not self.exact.contents
            return
        assert pipeline.holds == self.exact.contents
        pipeline.acknowledge(reading.position)

    @rule(key=KEYS, other=KEYS, lost=st.booleans())
    def commit_late(self, key: str, other: str, lost: bool) -> None:
        """A row that shows after one that was written later, and perhaps is read once without arriving."""
        self.exact.begin(key)
        self.exact.write(other)
        self.read(0)
        self.exact.commit()
        if lost:
            self._read(self.pipelines[0], 1, arrives=False)
        self.read(0)

    def _read(self, pipeline: Pipeline, killed_after: int | None, arrives: bool = True) -> Any:
        feed = self.reader.read(pipeline.position, lambda: self.known, select=("City",), moved_at=self.exact.moved_at)
        pages = 0
        while True:
            if pages == killed_after:
                feed.close()
                return None
            try:
                event = next(feed)
            except StopIteration as end:
                reading = end.value
                break
            if not isinstance(event, datetime):
                pages += 1
                self.known |= {row["ID"] for row in event}
                pipeline.holds.update({row["ID"]: row["City"] for row in event if arrives})
        for key in reading.deleted if arrives else ():
            pipeline.holds.pop(key, None)
        return reading


TestFeeds = Feeds.TestCase
TestFeeds.settings = settings(max_examples=60, stateful_step_count=50, deadline=None)

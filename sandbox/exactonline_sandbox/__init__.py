"""A strict, stateful imitation of Exact Online for rehearsal and tests."""

"""The versions of this package's tables: a script for each, never changed once it was released.

A new one: a file v0002_what_it_does.py with `revision = "0002"` and `down_revision = "0001"`, the same change in the
tables of the code, and `op.batch_alter_table` where columns change, for SQLite. A test compares the two.
"""

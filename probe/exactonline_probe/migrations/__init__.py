"""The versions of this package's tables: a script for each, never changed once it was released."""

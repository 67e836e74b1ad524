"""The versions of the console's tables: a script for each, never changed once it was released."""

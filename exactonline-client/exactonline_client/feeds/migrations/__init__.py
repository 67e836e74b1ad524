"""The versions of the tables of feeds: a script for each, never changed once it was released."""

"""Exact Online's REST API for Python: divisions, accounts, tokens and limits."""

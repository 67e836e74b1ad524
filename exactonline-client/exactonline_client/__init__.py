"""Exact Online's REST API: divisions, accounts, tokens and limits. Knows nothing of Singer.

Nothing is imported here: `exactonline_client.entities` and `.errors` are of use without a network, `.client` is the
way in for programs that talk to Exact.
"""

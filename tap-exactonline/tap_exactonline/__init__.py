"""Singer tap for Exact Online: accounts, deletions and divisions."""

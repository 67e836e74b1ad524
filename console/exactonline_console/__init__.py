"""A page for people who never see a terminal: connect, choose, preview, synchronize, read the result."""

"""Small experiments on a real Exact Online that turn what is guessed about it into facts."""

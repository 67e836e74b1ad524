"""Reference lists of companies: read when needed, kept in the store, and translated from one company to another."""

"""Commands beside the Singer target itself."""

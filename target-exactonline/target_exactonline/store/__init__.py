"""What the target must know in the next run."""

"""`python -m target_exactonline`."""

from target_exactonline.target import TargetExactOnline

TargetExactOnline.cli()

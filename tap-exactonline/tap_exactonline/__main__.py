"""`python -m tap_exactonline`."""

from tap_exactonline.tap import TapExactOnline

TapExactOnline.cli()

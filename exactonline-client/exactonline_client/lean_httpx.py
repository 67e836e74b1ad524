"""Imported before httpx: without its command line, whose rich and pygments are half of what httpx takes to import.

httpx tries to import it at each start of a program, and is the same without it.
"""

import sys

sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]

"""The README names everything that can be set or ordered."""

from pathlib import Path

import pytest
from exactonline_sandbox.faults import KINDS, Fault
from exactonline_sandbox.options import LIMIT_NAMES, SWITCH_NAMES
from exactonline_sandbox.world import Division, User

README = (Path(__file__).parents[2] / "sandbox" / "README.md").read_text(encoding="utf-8")
NAMES = [
    *KINDS,
    *LIMIT_NAMES,
    *SWITCH_NAMES,
    *Fault.__dataclass_fields__.keys() - {"kind"},
    *Division.__dataclass_fields__,
    *User.__dataclass_fields__,
]


@pytest.mark.parametrize("name", sorted(set(NAMES)))
def test_it_is_described(name: str) -> None:
    assert f"`{name}`" in README or f'"{name}"' in README or f"].{name}`" in README or f"`.{name}`" in README

"""The SDK's own suite for taps, against the sandbox."""

from __future__ import annotations

from typing import Any

import pytest
from child_world import CHILDREN
from list_rows import lists_of
from sandbox_driver import SOURCE, Sandbox, small_world
from singer_sdk.testing import get_tap_test_class
from tap_exactonline.tap import TapExactOnline

CONFIG: dict[str, Any] = {"client_id": "later", "client_secret": "later", "divisions": [SOURCE]}


def all_selected() -> dict[str, Any]:
    """The catalog with the streams that are off by default."""
    catalog = TapExactOnline(config=CONFIG).catalog_dict
    for stream in catalog["streams"]:
        for one in stream["metadata"]:
            one["metadata"]["selected"] = True
    return catalog


StandardTapTests = get_tap_test_class(TapExactOnline, config=CONFIG, parse_env_config=False, catalog=all_selected())


class TestTapExactOnline(StandardTapTests):  # type: ignore[misc,valid-type]
    @pytest.fixture(scope="class", autouse=True)
    @staticmethod
    def _with_sandbox(_running_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> None:
        """The sandbox is known only now, after the suite was made; the settings are filled in before it syncs."""
        _running_sandbox.reset(small_world(3, lists={SOURCE: lists_of()}, children={SOURCE: CHILDREN}))
        _running_sandbox.remove(SOURCE, "3")
        store = tmp_path_factory.mktemp("standard") / "store.db"
        CONFIG.update(_running_sandbox.config(store_url=f"sqlite:///{store}"))

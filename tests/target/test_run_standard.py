"""The SDK's own suite for targets, against the sandbox: streams of any shape end well and write nothing."""

from __future__ import annotations

from typing import Any

import pytest
from sandbox_driver import TARGETS, Sandbox, small_world
from singer_sdk.testing import get_target_test_class
from singer_sdk.testing.suites import SingerTestSuite, target_tests
from singer_sdk.testing.target_tests import TargetRecordMissingKeyProperty
from target_exactonline.target import TargetExactOnline

CONFIG: dict[str, Any] = {
    "client_id": "later",
    "client_secret": "later",
    "fan_out": {"target_divisions": list(TARGETS)},
}

# TargetRecordMissingKeyProperty wants a record without its key to end the run; here such a record is refused like any
# other that is wrong, and the run goes on (design: one bad record is not the end of the run).
SUITE = SingerTestSuite("target", [test for test in target_tests.tests if test is not TargetRecordMissingKeyProperty])

StandardTargetTests = get_target_test_class(
    TargetExactOnline,
    config=CONFIG,
    parse_env_config=False,
    include_target_tests=False,
    custom_suites=[SUITE],
)


class TestTargetExactOnline(StandardTargetTests):  # type: ignore[misc,valid-type]
    @pytest.fixture(autouse=True)
    @staticmethod
    def _with_sandbox(_running_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> None:
        """The sandbox is known only now, after the suite was made."""
        _running_sandbox.reset(small_world())
        store = tmp_path_factory.mktemp("standard") / "store.db"
        CONFIG.update(_running_sandbox.config(store_url=f"sqlite:///{store}"))

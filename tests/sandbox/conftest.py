"""A logged-in client for the tests of the sandbox itself."""

import pytest
from exact_http import Exact
from sandbox_driver import Sandbox


@pytest.fixture
def exact(sandbox: Sandbox) -> Exact:
    return Exact(sandbox)

"""What every test needs: one event loop backend."""

import gc
import os
import tempfile
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

import certificates
import new_journals
import postgres
import pytest
import warm
from hypothesis import settings

if TYPE_CHECKING:
    from buckets import S3


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> "Iterator[S3]":
    """A bucket of its own, with the AWS_ variables that lead to it."""
    from buckets import served_bucket

    with served_bucket() as bucket:
        for name, value in bucket.variables.items():
            monkeypatch.setenv(name, value)
        yield bucket


def pytest_configure(config: pytest.Config) -> None:
    # Of no person: neither the configuration nor the keyring of who runs the tests is read.
    os.environ["XDG_CONFIG_HOME"] = f"{tempfile.gettempdir()}/hailuo-mcp-no-settings"
    os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"
    settings.register_profile("tests", deadline=None)  # no result depends on the machine's speed
    settings.load_profile("tests")
    certificates.load_once()
    new_journals.copy_from_one()
    if not hasattr(config, "workerinput"):
        postgres.begin_run()
        warm.begin_run()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests first, so that no worker runs one alone at the end."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """The garbage collector need not look through thousands of collected tests again and again."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        postgres.end_run()
        warm.end_run()

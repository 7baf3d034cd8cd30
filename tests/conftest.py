"""What all tests share: hypothesis's profiles, and the folder of samples beside the checkout."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

from services.kafka import Kafka
from services.shared import shared as shared_server

CHECKOUT = Path(__file__).resolve().parents[1]
SHARED = CHECKOUT.parent / "shared"

# No deadlines: a busy machine is not a failure. CI tries the same examples each time, soak always new ones.
settings.register_profile("dev", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.register_profile("soak", deadline=None, max_examples=1000, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "dev")


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep the user's cache out of the tests, also of those that start the program."""
    os.environ["XDG_CACHE_HOME"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder `shared` beside the checkout, which holds rules and samples that are not ours to copy."""
    if not SHARED.is_dir():
        pytest.skip("did not run: there is no folder `shared` beside the checkout")
    return SHARED


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Kafka:
    """A broker that all tests share: each takes topics and groups of its own, and leaves the broker alone."""
    return Kafka(shared_server("kafka", *_run(tmp_path_factory)))


@pytest.fixture(scope="session")
def elasticsearch(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of an Elasticsearch that all tests share: each takes indices with a name of its own."""
    return shared_server("elasticsearch", *_run(tmp_path_factory))


def _run(factory: pytest.TempPathFactory) -> tuple[Path, int]:
    """Give the folder that all processes of the run share, and the id of the main one."""
    folder = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:  # then the parent is that one, and has a folder above ours
        return folder.parent, os.getppid()
    return folder, os.getpid()

from collections.abc import Generator
from pathlib import Path

import pytest

from asi_arch.testing.fake_store import FakeStore
from asi_arch.testing.synthetic import synthetic_store

from .campaigns import Growing


@pytest.fixture(scope="session")
def source() -> FakeStore:
    """Ten experiments, four of them baselines (0, 2, 4, 6)."""
    return synthetic_store(10)


@pytest.fixture
def campaign(tmp_path: Path, source: FakeStore) -> Generator[Growing]:
    growing = Growing(tmp_path / "state", source)
    yield growing
    growing.close()

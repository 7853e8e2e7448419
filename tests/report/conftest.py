import pytest

from asi_arch.testing.fake_store import FakeStore
from asi_arch.testing.synthetic import add_verdict, synthetic_store


@pytest.fixture(scope="session")
def campaign() -> FakeStore:
    """Forty experiments; read only."""
    return synthetic_store(40)


@pytest.fixture(scope="session")
def verified() -> FakeStore:
    """The same with its fittest verified; read only."""
    store = synthetic_store(40)
    add_verdict(store, store.pool(1, 1000)[0].index)
    return store


@pytest.fixture(params=[0, 1, 2, 9])
def young(request: pytest.FixtureRequest) -> FakeStore:
    """Nothing, one baseline, one candidate without fitness, and the first refresh of the pool."""
    return synthetic_store(request.param)

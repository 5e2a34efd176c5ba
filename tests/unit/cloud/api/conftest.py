import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from cloud.api.app import create_api
from cloud.api.context import ApiContext
from cloud.live import LiveHub
from cloud.store.engine import Store, open_store

sys.path.insert(0, str(Path(__file__).parents[3] / "support"))

from small_plant import NOW, SmallPlant, binh_minh


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = open_store(f"sqlite:///{tmp_path}/coldlink.db")
    yield store
    store.close()


@pytest.fixture
def plant(store: Store) -> SmallPlant:
    return SmallPlant(store)


@pytest.fixture
def busy_plant(store: Store) -> SmallPlant:
    return binh_minh(store)


@pytest.fixture
def context(store: Store) -> ApiContext:
    return ApiContext(store=store, hub=LiveHub(lambda: NOW), now_ms=lambda: NOW)


@pytest.fixture
def api(context: ApiContext) -> Iterator[TestClient]:
    with TestClient(create_api(context)) as client:
        yield client

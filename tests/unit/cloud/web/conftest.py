import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from cloud.api.app import create_api
from cloud.api.context import ApiContext
from cloud.live import LiveHub
from cloud.store.engine import Store, open_store
from cloud.web.app import add_pages

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
    return binh_minh(store, hours=8, period_ms=300_000)


@pytest.fixture
def web(store: Store) -> Iterator[TestClient]:
    app = create_api(ApiContext(store=store, hub=LiveHub(lambda: NOW), now_ms=lambda: NOW))
    add_pages(app)
    with TestClient(app, headers={"accept": "text/html"}) as client:
        yield client

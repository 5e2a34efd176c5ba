"""Somebody else's client talks to us: epcis2.js of EVRYTHNG builds, captures and polls. Needs node and the npm registry."""

import json
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn

from cloud.api.app import create_api
from cloud.api.context import ApiContext
from cloud.live import LiveHub
from cloud.store.engine import open_store
from cloud.trace.epcis.context import read_context
from cloud.trace.epcis.hashing import event_hash

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from epcis_documents import events_of
from small_plant import NOW

VERSION = "2.7.3"
PACKAGE = {
    "name": "client",
    "version": "1.0.0",
    "dependencies": {"epcis2.js": VERSION},
    "overrides": {"fs": "file:./fs"},  # it asks for a placeholder of that name which registries may not carry
}
SCRIPT = """
const { EPCISDocument, EPCISHeader, ObjectEvent, QuantityElement, BizLocation, capture, CaptureResponse, setup } = require('epcis2.js');
(async () => {
  const apiUrl = process.argv[2];
  setup({ apiUrl, headers: { 'content-type': 'application/json' } });
  const event = new ObjectEvent({ eventTime: '2026-11-20T02:00:00.000Z', eventTimeZoneOffset: '+07:00' });
  event.setAction('OBSERVE').setBizStep('shipping').setDisposition('in_transit');
  event.addQuantity(new QuantityElement({ epcClass: 'urn:epc:class:lgtin:9521234.054321.BM1', quantity: 12.5, uom: 'KGM' }));
  event.generateHashID({});
  const document = new EPCISDocument();
  document.setCreationDate('2026-11-20T02:00:00.000Z').setSchemaVersion('2.0').addEvent(event);
  const answer = await capture(document);
  const found = await fetch(`${apiUrl}/events`);
  console.log(JSON.stringify({ status: answer.status, location: answer.headers.get('location'), sent: document.toObject(), found: await found.json() }));
})().catch((error) => { console.error(error); process.exit(1); });
"""


@pytest.fixture
def client(tmp_path: Path) -> Path:
    """A folder with epcis2.js in it."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip("NO NODE: epcis2.js did not talk to us (apt-get install nodejs npm)")
    folder = tmp_path / "client"
    (folder / "fs").mkdir(parents=True)
    (folder / "fs" / "package.json").write_text('{"name": "fs", "version": "0.0.1-security"}')
    (folder / "package.json").write_text(json.dumps(PACKAGE))
    (folder / "talk.js").write_text(SCRIPT)
    install = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts"]
    if subprocess.run(install, cwd=folder, capture_output=True, timeout=90).returncode:
        pytest.skip("NO NPM REGISTRY: epcis2.js did not talk to us")
    return folder


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    store = open_store(f"sqlite:///{tmp_path}/coldlink.db")
    app = create_api(ApiContext(store=store, hub=LiveHub(lambda: NOW), now_ms=lambda: NOW))
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1, lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/epcis"
    server.should_exit = True
    thread.join()
    listener.close()
    store.close()


@pytest.mark.slow
def test_a_client_that_we_did_not_write_captures_and_agrees_about_the_hash(client: Path, address: str):
    spoken = subprocess.run(["node", "talk.js", address], cwd=client, capture_output=True, text=True, timeout=60)
    assert spoken.returncode == 0, spoken.stderr
    told = json.loads(spoken.stdout)
    assert told["status"] == 202 and told["location"].startswith("/epcis/capture/")
    [sent], [found] = events_of(told["sent"]), events_of(told["found"])
    assert found["eventID"] == sent["eventID"]
    assert sent["eventID"] == event_hash(sent, read_context(told["sent"]["@context"])), "two tools, one event, one name"

"""From entries to the cloud: sealing, the conversation with the ingest, the uplink under it, the live lane."""

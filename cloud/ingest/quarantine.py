"""What cannot be taken is kept as it came, counted, and stands in nobody's way."""

import hashlib

from cloud.ingest.flight import Flight
from cloud.ingest.outcome import Evidence
from cloud.ingest.work import Work
from cloud.store.queries import load_queries

_queries = load_queries("cloud.ingest")

MOST_KEPT = 1000
"""For one gateway: a broken or hostile one is counted further, but fills neither disk nor log."""

MOST_KEPT_IN_ALL = 20_000
"""Names are free: with open enrolment one liar can be many gateways."""


def quarantine(work: Work, flight: Flight, payload: bytes, reason: str) -> bool:
    """False: the same bytes lie there already, the gateway insists."""
    connection, book, outcome = work
    if not book.refusals.is_new(hashlib.sha256(reason.encode() + payload).digest()):
        return False
    outcome.counts["quarantined"] += 1
    kept = connection.execute(_queries.count_quarantine, {"gateway": flight.gateway}).one()
    if kept.of_gateway < MOST_KEPT and kept.in_all < MOST_KEPT_IN_ALL:
        outcome.evidence.append(Evidence(flight.gateway, reason, f"{len(payload)} bytes on {flight.topic}"))
        connection.execute(
            _queries.insert_quarantine,
            {"gateway": flight.gateway, "topic": str(flight.topic), "reason": reason}
            | {"payload": payload, "now": outcome.now},
        )
    return True

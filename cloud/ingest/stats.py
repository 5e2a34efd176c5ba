"""What the ingest has done since it started, for people and for the API."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass


@dataclass(slots=True)
class IngestStats:
    """Written by the ingest thread, read by anyone: single numbers, each right by itself."""

    commits: int = 0
    hellos: int = 0
    batches: int = 0
    readings: int = 0
    sightings: int = 0
    weighings: int = 0
    gaps: int = 0
    repeated: int = 0  # batches that were committed already
    holes: int = 0  # batches that came before the one they follow
    waiting: int = 0  # batches taken whose boot knows no clock yet
    released: int = 0  # of those, placed in time since
    bounded: int = 0  # boots that never knew the time, placed between their neighbours
    collided: int = 0  # readings whose instant was taken already
    quarantined: int = 0
    conflicts: int = 0  # evidence: one number, two contents
    refused: int = 0  # messages of gateways that are not known
    points_wanted: int = 0
    dropped: int = 0  # messages for which there was no room in time
    unanswered: int = 0  # acknowledgements that found no connection
    live: int = 0
    live_dropped: int = 0
    failures: int = 0  # transactions that the database did not take
    queue_depth: int = 0
    queue_bytes: int = 0
    last_commit_at: int | None = None
    last_error: str | None = None
    last_error_at: int | None = None

    def add(self, counts: Counter[str]) -> None:
        for name, count in counts.items():
            setattr(self, name, getattr(self, name) + count)

    def picture(self) -> Mapping[str, str | int | None]:
        return asdict(self)

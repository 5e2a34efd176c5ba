"""What has to be computed again because of what came: zones by time, carriers by EPC; durable, in its transaction."""

from collections import defaultdict

from sqlalchemy import Connection

from cloud.ingest.book import Book
from cloud.ingest.outcome import Span
from cloud.ingest.work import Work
from cloud.store.queries import load_queries

_queries = load_queries("cloud.ingest")

_JOINED_MS = 60_000  # ranges this near are one piece of work; a late hour and the present minute are two

Range = tuple[int, int]


def mark_zones(work: Work) -> None:
    connection, book, outcome = work
    if not outcome.spans:
        return
    ranges = _ranges_by_zone(connection, book, outcome.spans)
    marks = [
        {"zone_id": zone_id, "from_at": from_at, "until_at": until_at}
        for zone_id, touched in ranges.items()
        for from_at, until_at in join_ranges(touched)
    ]
    if marks:
        connection.execute(_queries.mark_zone, marks)


def mark_carriers(work: Work) -> None:
    connection, _, outcome = work
    if outcome.epcs:
        connection.execute(
            _queries.mark_carrier, [{"epc": epc, "from_at": from_at} for epc, from_at in outcome.epcs.items()]
        )


def join_ranges(ranges: list[Range]) -> list[Range]:
    """Half-open ranges, the near ones made one."""
    joined: list[Range] = []
    for from_at, until_at in sorted(ranges):
        if joined and from_at <= joined[-1][1] + _JOINED_MS:
            joined[-1] = (joined[-1][0], max(joined[-1][1], until_at))
        else:
            joined.append((from_at, until_at))
    return joined


def _ranges_by_zone(connection: Connection, book: Book, spans: list[Span]) -> dict[int, list[Range]]:
    installed: dict[str, list[tuple[int, int, int | None]]] = defaultdict(list)
    for row in connection.execute(_queries.installations):
        installed[row.series_name].append((row.zone_id, row.from_at, row.until_at))
    ranges: dict[int, list[Range]] = defaultdict(list)
    for span in spans:
        for zone_id, from_at, until_at in installed.get(book.series_names[span.series_id], ()):
            first = max(span.first, from_at)
            until = span.last + 1 if until_at is None else min(span.last + 1, until_at)
            if first < until:
                ranges[zone_id].append((first, until))
    return ranges

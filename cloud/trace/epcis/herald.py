"""A thread that tells our own facts as events and tells subscribers what their queries find, by webhook.

How far each has been told is in the database: whoever does not answer 2xx is told again, later and later, from where
it stopped. A subscriber may so hear an event twice; the event ID says that it is the same.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import threading
import urllib.request
from collections.abc import Callable
from typing import Any

from cloud.errors import StoreUnavailableError
from cloud.store.engine import Store
from cloud.trace.epcis.books import newest_number, search_after
from cloud.trace.epcis.document import query_document
from cloud.trace.epcis.format import EpcFormat, formatted
from cloud.trace.epcis.query import parse_query
from cloud.trace.epcis.questions import question_by_name
from cloud.trace.epcis.subscriptions import Subscription, due_subscriptions, note_failed, note_told
from cloud.trace.epcis.tell import tell_own
from cloud.trace.settings import NO_SETTINGS, TraceSettings
from cloud.trace.times import iso

log = logging.getLogger(__name__)
_EVERY_S, _PATIENCE_S, _AT_ONCE = 2.0, 10.0, 100
Send = Callable[[str, bytes, dict[str, str]], None]
"""Raises OSError (and its kin) when the other side did not take it."""


class Herald:
    """Use `start` and `stop`; `send` is how a document reaches an address."""

    def __init__(
        self, store: Store, now_ms: Callable[[], int], send: Send | None = None, settings: TraceSettings = NO_SETTINGS
    ) -> None:
        self._store, self._now_ms, self._send, self._settings = store, now_ms, send or post, settings
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="herald")

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()

    def tell_due(self) -> int:
        """Tells everybody who is due; how many were told something."""
        with self._store.read() as connection:
            due = due_subscriptions(connection, self._now_ms())
        return sum(self._tell(subscription) for subscription in due if not self._stopping.is_set())

    def _run(self) -> None:
        while not self._stopping.wait(_EVERY_S):
            try:
                while not self._stopping.is_set() and tell_own(self._store, self._settings, self._now_ms()):
                    pass
                while self.tell_due():
                    pass
            except StoreUnavailableError as error:
                log.warning("facts and subscribers wait: %s", error)
            except Exception:  # the thread must not die: the next round tries again
                log.exception("facts or subscribers were not told")

    def _tell(self, subscription: Subscription) -> bool:
        document, through, is_empty = self._report(subscription)
        if is_empty and not (subscription.schedule and subscription.reports_empty):
            with self._store.write() as connection:
                note_told(connection, subscription, through, self._now_ms(), was_sent=False)
            return False
        body = json.dumps(document, ensure_ascii=False).encode()
        try:
            self._send(subscription.dest, body, _headers(subscription, body))
        except (OSError, ValueError) as error:
            if not subscription.failures:
                log.warning("subscriber %s did not take its events: %s", subscription.dest, error)
            with self._store.write() as connection:
                note_failed(connection, subscription, self._now_ms())
            return False
        with self._store.write() as connection:
            note_told(connection, subscription, through, self._now_ms(), was_sent=True)
        return True

    def _report(self, subscription: Subscription) -> tuple[dict[str, Any], int, bool]:
        with self._store.read() as connection:
            newest = newest_number(connection)
            query = parse_query(question_by_name(connection, subscription.query).parameters)
            found = search_after(connection, query, subscription.after, _AT_ONCE)
        through = found[-1].number if len(found) == _AT_ONCE else newest
        events = [
            ({**formatted(event.body, EpcFormat.DIGITAL_LINK), "recordTime": iso(event.recorded_at)}, event.definitions)
            for event in found
        ]
        document = query_document(events, iso(self._now_ms()), subscription.query, subscription.key)
        return document, through, not found


def signature(token: str, body: bytes) -> str:
    """HMAC with SHA-256 over the bytes of the document."""
    return "sha256=" + hmac.new(token.encode(), body, hashlib.sha256).hexdigest()


def post(dest: str, body: bytes, headers: dict[str, str]) -> None:
    request = urllib.request.Request(dest, body, headers, method="POST")  # noqa: S310  http and https are checked when subscribing
    with _opener.open(request, timeout=_PATIENCE_S) as response:
        response.read(1024)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """The address is the one that was subscribed."""

    def redirect_request(self, *_: object) -> None:
        return None


_opener = urllib.request.build_opener(_NoRedirect)


def _headers(subscription: Subscription, body: bytes) -> dict[str, str]:
    headers = {"Content-Type": "application/json", "GS1-EPCIS-Version": "2.0.0", "User-Agent": "coldlink"}
    if subscription.signature_token is not None:
        headers["GS1-Signature"] = signature(subscription.signature_token, body)
    return headers

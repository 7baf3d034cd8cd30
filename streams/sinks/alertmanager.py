"""Pages in Alertmanager: what is open is told again and again, since it forgets, and what is over as well.

Its interface is version 2: https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml. All
Alertmanagers of a cluster are told everything; one that takes it is enough. Two who do this beside each other
tell the same, under the same labels, which notifies once.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import random
import ssl
import time
from collections.abc import Callable, Iterable, Sequence
from http import HTTPStatus
from typing import Any

import aiohttp

from streams import delivery_settings
from streams.alert import Alert
from streams.errors import ConfigError
from streams.event import NANOSECONDS
from streams.sinks.pages import Page, Pages
from streams.sinks.sink import Refused, Told

PAUSE, LONGEST = 0.2, 10.0
"""Seconds before what nobody has taken is sent again, the first time and at most."""
TIMEOUT = 10.0
SWITCH = {"alertname": "OutfallDeadMansSwitch", "source": "outfall", "severity": "none"}
"""The labels of an alert that is always there: who does not get it any more knows that paging is broken."""
SWITCH_SAYS = {"summary": "Paging works: this is told all the time, and its absence is the alarm"}


def client(settings: delivery_settings.Paging) -> aiohttp.ClientSession:
    """Make a connection.

    Raises:
        ConfigError: the certificates cannot be used.
    """
    try:
        context = ssl.create_default_context(cafile=settings.ca) if settings.ca else True
    except (OSError, ssl.SSLError) as error:
        raise ConfigError([f"paging.ca: {error}"]) from None
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=context), timeout=aiohttp.ClientTimeout(total=TIMEOUT)
    )


class AlertmanagerSink:
    """Sends pages. `alive` tells whether alerts are being read: if not, the dead-man's switch is let go."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        settings: delivery_settings.Paging,
        told: Told,
        *,
        alive: Callable[[], bool] = lambda: True,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._session = session
        self._settings = settings
        self._told = told
        self._alive = alive
        self._clock = clock
        self._pages = Pages()
        self._one_at_a_time = asyncio.Lock()  # what is told later must not arrive earlier
        self._sent: dict[tuple[str, int], tuple[Page, float]] = {}
        """The pages that Alertmanager knows of as open, each with when it was first told of it."""

    def remember(self, alerts: Sequence[Alert]) -> None:
        """Take note of alerts that were delivered before; nobody is told of them.

        But Alertmanager may know their pages as open, whatever has become of them since.
        """
        self._pages.take(alerts)
        since = self._clock() - self._settings.expires / NANOSECONDS
        known = dt.datetime.fromtimestamp(since, dt.UTC).isoformat()
        for alert in alerts:
            if alert.page and (alert.detected or "") >= known[:19]:
                page = Page(alert.breach or alert.id, alert)
                self._sent[page.key] = page, 0.0

    async def write(self, alerts: Sequence[Alert]) -> list[Refused[Alert]]:
        """Tell of all pages among these alerts, also of those that are over already."""
        async with self._one_at_a_time:
            return await self._write(alerts)

    async def _write(self, alerts: Sequence[Alert]) -> list[Refused[Alert]]:
        paging = [alert for alert in alerts if alert.page]
        for page in self._pages.open:
            self._sent.setdefault(page.key, (page, 0.0))
        self._pages.take(alerts)
        if not paging:
            return []
        open_now = {page.key: page for page in self._pages.open}
        # One that is over already is told of all the same; one that a further tier took the place of is not.
        for alert in reversed(paging):
            page = Page(alert.breach or alert.id, alert)
            if not any(other.breach == page.breach for other in open_now.values()):
                open_now[page.key] = page
        breaches = {page.breach for page in open_now.values()}
        replaced = [
            page for key, (page, _) in self._sent.items() if page.breach in breaches and key not in open_now
        ]
        attempt = 0
        while True:
            # In one request, so that a notification of the new one does not tell of the old one as well.
            status = await self._tell(open_now.values(), replaced)
            if status is None:
                break
            if HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR and status not in _PASSING:
                self._told.done("refused", len(paging))
                return [Refused(alert, f"status_{status}", "Alertmanager refuses it") for alert in paging]
            await asyncio.sleep(min(LONGEST, PAUSE * 2**attempt) * random.uniform(0.5, 1))  # noqa: S311
            attempt = min(attempt + 1, 16)
        now = self._clock()
        for page in replaced:
            self._sent.pop(page.key, None)
        new = [page for page in open_now.values() if page.key not in self._sent]
        for page in open_now.values():
            self._sent.setdefault(page.key, (page, now))
        self._told.done("created", len(new))
        self._told.goes_on()
        return []

    async def keep(self) -> None:
        """Tell again of what is open, and of what is over, for ever. Begin once everything is remembered."""
        pause = self._settings.repeat / NANOSECONDS
        while True:
            async with self._one_at_a_time:
                await self._again()
            await asyncio.sleep(pause)

    async def _again(self) -> None:
        now = self._clock()
        for page in self._pages.open:
            self._sent.setdefault(page.key, (page, now))
        open_keys = {page.key for page in self._pages.open}
        open_breaches = {page.breach for page in self._pages.open}
        least = self._settings.least / NANOSECONDS
        over = [
            page
            for key, (page, since) in self._sent.items()
            if key not in open_keys and (page.breach in open_breaches or now - since >= least)
        ]
        still = [page for page, _ in self._sent.values() if page not in over]
        if await self._tell(still, over) is None:
            for page in over:
                self._sent.pop(page.key, None)
            self._pages.forget_closed()
            self._told.goes_on()

    async def _tell(self, firing: Iterable[Page], over: Iterable[Page]) -> int | None:
        """Tell all Alertmanagers; None once one has taken it, else a status, 0 for no answer."""
        now = dt.datetime.fromtimestamp(self._clock(), dt.UTC)
        ends = now + dt.timedelta(seconds=self._settings.expires / NANOSECONDS)
        posts = [self._post(page, ends) for page in firing] + [self._post(page, now) for page in over]
        if self._alive():
            soon = now + dt.timedelta(seconds=3 * self._settings.repeat / NANOSECONDS)
            posts.append({"labels": SWITCH, "annotations": SWITCH_SAYS, "endsAt": soon.isoformat()})
        statuses = await asyncio.gather(*(self._send(each, posts) for each in self._settings.alertmanagers))
        if HTTPStatus.OK in statuses:
            return None
        worst = max(statuses)
        self._told.again(str(worst) if worst else "no_answer", len(posts))
        return worst

    async def _send(self, address: str, posts: Sequence[dict[str, Any]]) -> int:
        try:
            async with self._session.post(f"{address}/api/v2/alerts", json=posts) as answer:
                return answer.status
        except (aiohttp.ClientError, TimeoutError, OSError):
            return 0

    def _post(self, page: Page, ends: dt.datetime) -> dict[str, Any]:
        post: dict[str, Any] = {
            "labels": page.labels,
            "annotations": page.annotations,
            "endsAt": ends.isoformat(),
        }
        if page.alert.detected is not None:
            post["startsAt"] = page.alert.detected
        if self._settings.alert_url is not None:
            post["generatorURL"] = self._settings.alert_url.replace("{id}", page.alert.id)
        return post


_PASSING = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS)

"""Who can be told of pages without an Alertmanager: PagerDuty, and through apprise chats and mail."""

from __future__ import annotations

import asyncio
import logging
from http import HTTPStatus
from typing import Any, Protocol

import aiohttp
import apprise

from streams.errors import OutfallError
from streams.sinks.pages import Page

_PASSING = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS)
_SEVERITIES = {"critical": "critical", "high": "error", "medium": "warning"}


class NotTakenError(OutfallError):
    """What was told was not taken, and may be another time."""


class RefusedError(OutfallError):
    """What was told will never be taken."""


class Notifier(Protocol):
    """Somebody who is told. Telling the same again must do no harm."""

    name: str

    async def tell(self, page: Page) -> None:
        """Tell of a page.

        Raises:
            NotTakenError, RefusedError: it was not taken.
        """
        ...

    async def over(self, page: Page) -> None:
        """Tell that it is over.

        Raises:
            NotTakenError, RefusedError: it was not taken.
        """
        ...


class PagerDuty:
    """A service of PagerDuty, by its Events API v2: https://developer.pagerduty.com/docs/events-api-v2-overview.

    A page's key is the incident's (`dedup_key`): to tell of it again changes nothing.
    """

    name = "pagerduty"

    def __init__(self, session: aiohttp.ClientSession, url: str, key: str) -> None:
        self._session = session
        self._url = f"{url}/v2/enqueue"
        self._key = key

    async def tell(self, page: Page) -> None:
        """See the interface."""
        said = page.annotations
        payload = {
            "summary": said["summary"][:1024],
            "source": "outfall",
            "severity": _SEVERITIES.get(page.alert.severity, "info"),
            "group": page.labels["team"],
            "class": page.labels["rule"],
            "custom_details": page.labels | said,
        }
        await self._send(page, {"event_action": "trigger", "payload": payload})

    async def over(self, page: Page) -> None:
        """See the interface."""
        await self._send(page, {"event_action": "resolve"})

    async def _send(self, page: Page, event: dict[str, Any]) -> None:
        event |= {"routing_key": self._key, "dedup_key": f"outfall-{page.alert.id}-{page.alert.pages}"}
        try:
            async with self._session.post(self._url, json=event) as answer:
                status = answer.status
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise NotTakenError(type(error).__name__) from None
        if status in _PASSING or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise NotTakenError(f"status {status}")
        if status != HTTPStatus.ACCEPTED:
            raise RefusedError(f"status {status}")


class Chat:
    """Chats and mailboxes, by the addresses of apprise: https://github.com/caronc/apprise/wiki.

    All of them are told, or all are told again: apprise says only that something failed.
    """

    name = "apprise"

    def __init__(self, addresses: list[str]) -> None:
        logging.getLogger("apprise").setLevel(logging.CRITICAL)  # it logs addresses, which hold secrets
        self._all = apprise.Apprise()
        self.refused = [number for number, one in enumerate(addresses, 1) if not self._all.add(one)]

    async def tell(self, page: Page) -> None:
        """See the interface."""
        said = page.annotations
        body = f"{said['summary']}.\nCategories: {said['categories']}.\n{said['next']}"
        await self._send(f"{page.alert.severity}: personal data leaves", body)

    async def over(self, page: Page) -> None:
        """See the interface."""
        await self._send("Over: personal data left", f"{page.annotations['summary']}.")

    async def _send(self, title: str, body: str) -> None:
        if not await asyncio.to_thread(self._all.notify, title=title, body=body):
            raise NotTakenError("apprise reports a failure")

"""Tells of pages on one machine: follows the store that `outfall run` writes, for each who is told by itself.

The store knows up to which revision each has been told. What was under way at a crash is told again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from streams import log
from streams.alert import Alert
from streams.runtime.store import Store
from streams.sinks.notifiers import Notifier, NotTakenError, RefusedError
from streams.sinks.pages import Page, Pages

POLL = 1.0
"""Seconds between two looks into the store."""
PAUSE, LONGEST = 1.0, 60.0
"""Seconds before what was not taken is told again, the first time and at most."""

logger = log.get(__name__)


class Notification:
    """One who is told, and how far."""

    def __init__(self, store: Store, notifier: Notifier) -> None:
        self._store = store
        self._notifier = notifier
        self._place = f"notify:{notifier.name}"
        self._pages = Pages()
        self._reached, _ = store.alerts.written(self._place)
        for number, alert in self._after(0):
            if number > self._reached:
                break
            self._pages.take([alert])

    async def run(self) -> None:
        """Tell for ever."""
        while True:
            await self.catch_up()
            await asyncio.sleep(POLL)

    async def catch_up(self) -> None:
        """Tell of what the store has that was not told yet."""
        for number, alert in [*self._after(self._reached)]:
            before = {page.breach: page for page in self._pages.open}
            self._pages.take([alert])
            after = {page.breach: page for page in self._pages.open}
            breach = alert.breach or alert.id
            former, now = before.get(breach), after.get(breach)
            if alert.page:
                await self._until_taken(now or Page(breach, alert), over=False)
            if former is not None and former != now:
                await self._until_taken(former, over=True)
            if alert.page and now is None:
                await self._until_taken(Page(breach, alert), over=True)
            self._reached = number
            with self._store.transaction():
                self._store.alerts.set_written(self._place, number, 0)
        self._pages.forget_closed()

    async def _until_taken(self, page: Page, *, over: bool) -> None:
        pause = PAUSE
        while True:
            try:
                await (self._notifier.over(page) if over else self._notifier.tell(page))
            except NotTakenError as error:
                logger.warning("not taken; it is sent again", sink=self._notifier.name, reason=str(error))
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST)
            except RefusedError as error:
                name, why = self._notifier.name, str(error)
                logger.error("page refused", sink=name, reason=why, alert=page.alert.id)  # noqa: TRY400 - no trace
                return
            else:
                return

    def _after(self, number: int) -> Iterator[tuple[int, Alert]]:
        for found, document in self._store.alerts.revisions_after(number):
            yield found, Alert.model_validate_json(document)

"""What `outfall notify` does, apart from its options: imported only when it runs."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import aiohttp

from streams import log
from streams.cli import exits
from streams.cli.complaints import say_problems, standard_error
from streams.delivery_settings import Notify
from streams.errors import ConfigError
from streams.kafka_settings import password
from streams.runtime.notify import Notification
from streams.runtime.store import FILE, Store
from streams.settings import load
from streams.sinks.notifiers import Chat, Notifier, PagerDuty

TIMEOUT = 20.0


def run(config: Path, *, once: bool) -> int:
    """Tell, and give the exit status."""
    try:
        settings = load(config, places=False)
        log.configure(settings.worker.log)
        with _store(settings.state) as store:
            asyncio.run(_notify(settings.notify, store, once=once))
    except ConfigError as error:
        say_problems(standard_error(), error)
        return exits.USAGE
    return exits.DONE


def _store(folder: Path) -> Store:
    if not (folder / FILE).exists():
        raise ConfigError([f"{folder}: there is no store yet; `outfall run` makes it"])
    return Store(folder)


async def _notify(settings: Notify, store: Store, *, once: bool) -> None:
    timeout = aiohttp.ClientTimeout(total=TIMEOUT)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        told = [Notification(store, each) for each in _notifiers(settings, session)]
        work = [asyncio.create_task(each.catch_up() if once else each.run()) for each in told]
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, _cancel, work)
        done, _ = await asyncio.wait(work)
        for each in done:
            if not each.cancelled():
                each.result()


def _cancel(work: list[asyncio.Task[None]]) -> None:
    for each in work:
        each.cancel()


def _notifiers(settings: Notify, session: aiohttp.ClientSession) -> list[Notifier]:
    """Make those who are told.

    Raises:
        ConfigError: nobody is, or a file cannot be used.
    """
    found: list[Notifier] = []
    try:
        if settings.pagerduty_key_file is not None:
            found.append(PagerDuty(session, settings.pagerduty_url, password(settings.pagerduty_key_file)))
        if settings.apprise_file is not None:
            text = settings.apprise_file.read_text(encoding="utf-8")
            chat = Chat([line.strip() for line in text.splitlines() if line.strip()])
            if chat.refused:  # an address holds secrets, so its number is told
                lines = ", ".join(map(str, chat.refused))
                raise ConfigError([f"{settings.apprise_file}: apprise knows no such address: number {lines}"])
            found.append(chat)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([f"notify: {error}"]) from None
    if not found:
        raise ConfigError(["notify: nobody is to be told: set pagerduty_key_file, apprise_file, or both"])
    return found

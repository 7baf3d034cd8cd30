"""`outfall dead-letters` on Kafka."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import aclosing

from rich.console import Console

from streams.cli import exits
from streams.cli.letter_bar import letter_bar
from streams.runtime.found_topics import find_topics
from streams.runtime.letter_purge import plan_purge, purge_records
from streams.runtime.letter_resend import resend
from streams.runtime.letter_topic import LetterTopic
from streams.runtime.letters import Entry, Wanted
from streams.runtime.topics import Topics
from streams.settings import Settings

_SHOWN = 20


class LiveLetters:
    """The dead letters of the workers that some settings are for."""

    def __init__(self, settings: Settings, console: Console) -> None:
        self._settings = settings
        self._topic = Topics(settings).dead_letters
        self._console = console

    def list(self, wanted: Wanted, add: Callable[[Entry], None], *, everything: bool) -> None:
        """Give those that are meant to `add`."""

        async def run() -> None:
            async with (
                LetterTopic(self._settings.kafka, self._topic) as topic,
                aclosing(topic.wanted(wanted, replayed=everything)) as entries,
            ):
                async for entry in entries:
                    add(entry)

        self._look()
        asyncio.run(run())

    def read(self, identity: str) -> Entry | None:
        """Give one with its content."""

        async def run() -> Entry | None:
            async with LetterTopic(self._settings.kafka, self._topic) as topic:
                return await topic.read(identity)

        self._look()
        return asyncio.run(run())

    def replay(self, wanted: Wanted, *, dry_run: bool) -> int:
        """Send those that are meant to their topics again, and give the exit status."""
        refused: Counter[str] = Counter()

        def tell(entry: Entry, why: str) -> None:
            refused[why] += 1
            if refused.total() <= _SHOWN:
                self._say(f"{entry.id}: is not sent again: {why}")
            if refused.total() == _SHOWN:
                self._say("further ones that cannot be sent are counted and not shown")

        with letter_bar(self._console, "sending again") as bar:
            count = asyncio.run(
                resend(
                    self._settings,
                    wanted,
                    dry_run=dry_run,
                    refused=tell,
                    begin=bar.begin,
                    advance=bar.advance,
                )
            )
        self._say(f"{count} dead letters {'would be' if dry_run else 'were'} sent to their topics again")
        if refused:
            self._say(f"{refused.total()} cannot be sent and stay")
        return exits.REJECTED if refused else exits.DONE

    def purge(self, wanted: Wanted, *, dry_run: bool) -> int:
        """Delete what can be deleted of those that are meant, and give the exit status."""
        self._look()
        with letter_bar(self._console, "looking through") as bar:
            plan = asyncio.run(
                plan_purge(self._settings.kafka, self._topic, wanted, begin=bar.begin, advance=bar.advance)
            )
        if not dry_run and (plan.letters or wanted.all):
            purge_records(self._settings.kafka, self._topic, plan)
        self._say(f"{plan.letters} dead letters {'would be' if dry_run else 'were'} deleted")
        if plan.replayed and (plan.letters or wanted.all):
            self._say(f"and {plan.replayed} before them that had been replayed")
        if plan.left:
            self._say(
                f"{plan.left} are left: they follow {plan.blocked_by}, which is neither meant nor replayed;"
                " Kafka deletes from the beginning of a topic and nowhere else"
            )
        return exits.FINDINGS if plan.left else exits.DONE

    def _look(self) -> None:
        find_topics(self._settings.kafka, {"dead letters": self._topic})

    def _say(self, text: str) -> None:
        self._console.print(text, markup=False)

"""What the events of one episode add up to: whose data, how much, by which ways, to where."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from streams.alert import Exposure, File
from streams.event import Event, Scalar, as_list, first, strings

Fields = Mapping[str, Scalar | list[Scalar]]

EVIDENCE_FIELDS = frozenset(
    (
        "destination.ip",
        "email.attachments.file.hash.sha256",
        "email.attachments.file.name",
        "email.attachments.file.size",
        "email.bcc.address",
        "email.cc.address",
        "email.from.address",
        "email.message_id",
        "email.subject",
        "email.to.address",
        "event.action",
        "event.code",
        "event.dataset",
        "event.outcome",
        "file.hash.sha256",
        "file.name",
        "file.path",
        "file.size",
        "host.name",
        "http.request.bytes",
        "http.request.method",
        "process.executable",
        "source.ip",
        "url.domain",
        "url.full",
        "user.email",
        "user.name",
    )
)
"""What an alert keeps of an event, besides all of `outfall.*`."""
_MOST_BYTES = 2**63 - 1
"""The most that is told: the JSON of state and alerts holds 64 bits, and an attacker writes sizes."""
_FILES = [
    [f"{prefix}.{part}" for part in ("name", "size", "hash.sha256")]
    for prefix in ("file", "email.attachments.file")
]


def evidence_fields(event: Event) -> dict[str, Scalar | list[Scalar]]:
    """Pick what an alert keeps of an event."""
    return {
        name: value
        for name, value in event.fields.items()
        if value is not None and (name in EVIDENCE_FIELDS or name.startswith("outfall."))
    }


class Tally:
    """A running union over the evidence of an episode; adding the same event twice changes nothing."""

    def __init__(self) -> None:
        self.evidence: dict[str, None] = {}
        # Subjects that a breach has not taken over yet, and the people of the one that took the others over.
        self._further: list[str] = []
        self._taken_by: set[str] | None = None
        self.subjects: set[str] = set()
        self.categories: set[str] = set()
        self.channels: dict[str, None] = {}
        self.egress_channels: dict[str, None] = {}
        self.classes: dict[str, None] = {}
        self.destinations: dict[str, None] = {}
        self.verdicts: set[str] = set()
        self.files: dict[tuple[Scalar, Scalar, Scalar], None] = {}
        self.vulnerable = False
        self.actors: dict[str, Fields] = {}
        self.failures: set[str] = set()
        self._records: set[str] = set()
        self._anonymous = 0
        self._bytes = 0

    @property
    def people(self) -> int:
        """How many people at least: the known ones, or the largest mere number that a source stated."""
        return max(len(self.subjects), self._anonymous)

    @property
    def actor(self) -> Fields:
        """What is known of the actor; nothing where there are several, for none of them did all of it."""
        return next(iter(self.actors.values())) if len(self.actors) == 1 else {}

    @property
    def verdict(self) -> str | None:
        """Whether what would have left was let through: `allowed`, `blocked`, or `mixed`."""
        return "mixed" if len(self.verdicts) > 1 else next(iter(self.verdicts), None)

    def holds(self, event_ids: Iterable[str]) -> bool:
        """Tell whether any of these events is in it."""
        return not self.evidence.keys().isdisjoint(event_ids)

    def add(self, event_id: str, fields: Fields) -> None:
        """Add one event."""
        if event_id in self.evidence:
            return
        self.evidence[event_id] = None
        further = [one for one in strings(fields.get("outfall.subjects.id")) if one not in self.subjects]
        self.subjects.update(further)
        self._further += further
        self._records.update(strings(fields.get("outfall.records.id")))
        self.categories.update(strings(fields.get("outfall.data.category")))
        self.vulnerable = self.vulnerable or first(fields.get("outfall.data.vulnerable")) is True
        anonymous = first(fields.get("outfall.subjects.anonymous"))
        if isinstance(anonymous, int):
            self._anonymous = max(self._anonymous, anonymous)
        self.channels.update(dict.fromkeys(strings(fields.get("outfall.channel"))))
        actor = first(fields.get("outfall.actor.id"))
        if actor is not None and str(actor) not in self.actors:
            about = {name: value for name, value in fields.items() if name.startswith("outfall.actor.")}
            self.actors[str(actor)] = about
        if (failure := first(fields.get("outfall.rule.failure"))) is not None:
            self.failures.add(f"{first(fields.get('outfall.rule.place'))}: {failure}")
        self._add_files(fields)
        if first(fields.get("outfall.egress")) is True:
            self._add_egress(fields)

    def further_subjects(self, people: set[str]) -> Iterable[str]:
        """Give the subjects that were not given before for the same set of people."""
        further: Iterable[str] = self._further if self._taken_by is people else self.subjects
        self._further, self._taken_by = [], people
        return further

    def exposure(self) -> Exposure:
        """Give the sums as an alert shows them."""
        return Exposure(
            people=self.people,
            subjects=sorted(self.subjects),
            records=len(self._records),
            categories=sorted(self.categories),
            vulnerable=self.vulnerable,
            bytes=min(max(self._bytes, 0), _MOST_BYTES),
        )

    def listed_files(self) -> list[File]:
        """Give the files in the order in which they appeared."""
        return [
            File(
                name=None if name is None else str(name),
                size=size if isinstance(size, int) else None,
                sha256=None if sha256 is None else str(sha256),
            )
            for name, size, sha256 in self.files
        ]

    def _add_egress(self, fields: Fields) -> None:
        self.egress_channels.update(dict.fromkeys(strings(fields.get("outfall.channel"))))
        self.classes.update(dict.fromkeys(strings(fields.get("outfall.destination.class"))))
        self.destinations.update(dict.fromkeys(strings(fields.get("outfall.destination.name"))))
        self.verdicts.update(strings(fields.get("outfall.verdict")) or ["allowed"])
        size = first(fields.get("outfall.bytes"))
        self._bytes += size if isinstance(size, int) else 0

    def _add_files(self, fields: Fields) -> None:
        for names in _FILES:
            if fields.keys().isdisjoint(names):
                continue
            columns = [as_list(fields.get(name)) for name in names]
            for row in range(max(map(len, columns))):
                name, size, sha256 = (column[row] if row < len(column) else None for column in columns)
                if name is not None or sha256 is not None:
                    self.files[name, size, sha256] = None

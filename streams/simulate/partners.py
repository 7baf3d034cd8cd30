"""Organisations with which the council shares data under an agreement, and whom it sends what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True, slots=True)
class Partner:
    """A partner: `limit` is how many people's data the agreement lets go there in a day, None for all.

    `groups` are the clients whose data it may get; `portal` is where transfers are uploaded.
    """

    name: str
    agreement: str
    domain: str
    limit: int | None
    expires: date
    categories: tuple[str, ...]
    groups: tuple[str, ...]
    mailboxes: tuple[str, ...]

    @property
    def portal(self) -> str:
        """The host of its transfer portal."""
        return f"transfer.{self.domain}"


BACKUP_HOST = "vault.cloudkeep.example"
_SMALL = 2_000
"""A council with so many employees at most agrees on smaller limits."""


def partners(start: date, people: int) -> list[Partner]:
    """Make the partners of a council of this size; all agreements hold but the last one's."""
    until = date(start.year + 1, 12, 31)
    lapsed = start - timedelta(90)
    # In the steps in which the rules compare limits.
    size = 500 if people <= _SMALL else 1_000
    return [
        Partner(
            "Stellan Valley NHS Trust", "ISA-2024-007", "stellanvalley-nhs.example", size, until,
            ("care", "health", "contact", "financial"), ("adults", "public"),
            ("discharge", "community.nursing", "mental.health"),
        ),
        Partner(
            "Harbour Home Care", "ISA-2023-031", "harbour-homecare.example", size, until,
            ("care", "contact", "financial"), ("adults",), ("referrals", "rota"),
        ),
        Partner(
            "Moorland Police", "ISA-2022-002", "moorland-police.example", size, until,
            ("care", "child", "contact"), ("children",), ("safeguarding.hub", "mash"),
        ),
        Partner(
            "Local Pension Fund", "ISA-2021-014", "county-pensions.example", 1_000, until,
            ("financial", "contact"), (), ("members",),
        ),
        Partner(
            "Cloudkeep (backup processor)", "DPA-2024-003", "cloudkeep.example", None, until,
            ("care", "health", "contact", "financial", "child"), (), ("support",),
        ),
        Partner(
            "Fernbank Fostering", "ISA-2019-009", "fernbank-fostering.example", 50, lapsed,
            ("care", "child"), (), ("office",),
        ),
    ]  # fmt: skip

"""How much each team does on a working day: the one place that sets the simulator's volume.

The numbers are counts a day, `(least, most)`; with them a person makes 100 to 200 log lines on a working day.
"""

from __future__ import annotations

from dataclasses import dataclass

Range = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Habits:
    """A team: its share of the staff, its hours (UTC), and what one of its people does in a day.

    `weekend` is how likely somebody works on a Saturday or Sunday. `mail` says which system carries the
    team's mail: `exchange` (Exchange Online, outside mail through the gateway) or `postfix` (the relay in the
    house). `cloud` says where its documents lie: `m365` or `drive`. `care` teams have caseloads.
    """

    share: float
    start: int
    end: int
    weekend: float
    roles: tuple[str, ...]
    cases: Range
    web: Range
    mail_in: Range
    mail_inside: Range
    mail_outside: Range
    files: Range
    documents: Range
    prints: Range
    mail: str = "exchange"
    cloud: str = "m365"
    care: bool = False


TEAMS: dict[str, Habits] = {
    "adult social care": Habits(
        0.22, 8, 18, 0.08, ("social worker", "care coordinator", "occupational therapist"),
        (10, 32), (30, 60), (8, 16), (5, 12), (1, 4), (10, 22), (4, 12), (0, 3), care=True,
    ),
    "children's services": Habits(
        0.18, 8, 18, 0.08, ("social worker", "family support worker", "reviewing officer"),
        (10, 30), (30, 60), (8, 16), (5, 12), (1, 4), (10, 22), (4, 12), (0, 3), care=True,
    ),
    "public health": Habits(
        0.05, 8, 17, 0.02, ("public health nurse", "analyst"),
        (6, 16), (40, 70), (8, 16), (5, 10), (1, 4), (10, 20), (8, 20), (0, 2), care=True, cloud="drive",
    ),
    "contact centre": Habits(
        0.12, 7, 20, 0.25, ("adviser",),
        (22, 38), (30, 60), (4, 10), (8, 16), (0, 2), (6, 14), (2, 6), (0, 1),
    ),
    "revenues": Habits(
        0.10, 8, 17, 0.0, ("revenues officer", "benefits assessor"),
        (0, 0), (50, 90), (10, 20), (5, 12), (2, 6), (20, 40), (6, 14), (1, 5),
    ),
    "payroll and hr": Habits(
        0.05, 8, 17, 0.0, ("hr adviser", "payroll officer"),
        (0, 0), (50, 90), (12, 24), (6, 14), (1, 5), (16, 34), (8, 18), (0, 4),
    ),
    "planning": Habits(
        0.07, 8, 17, 0.0, ("planning officer", "building inspector"),
        (0, 0), (50, 100), (8, 18), (4, 10), (2, 6), (16, 34), (6, 14), (0, 3), mail="postfix",
    ),
    "it": Habits(
        0.05, 7, 18, 0.06, ("service desk analyst", "systems administrator"),
        (0, 0), (70, 130), (10, 20), (6, 14), (1, 4), (20, 44), (6, 14), (0, 1),
    ),
    "libraries": Habits(
        0.08, 9, 18, 0.30, ("librarian", "library assistant"),
        (0, 0), (50, 100), (6, 12), (3, 8), (1, 3), (10, 22), (8, 20), (0, 4), mail="postfix", cloud="drive",
    ),
    "highways": Habits(
        0.08, 6, 16, 0.05, ("highways inspector", "works coordinator"),
        (0, 0), (40, 80), (6, 14), (4, 10), (1, 4), (14, 30), (6, 14), (0, 2), mail="postfix",
    ),
}  # fmt: skip
"""The council's teams; the shares add up to 1."""

MANAGERS = 12
"""One manager for so many people of a team, and at least one a team."""
CASELOAD: Range = (15, 40)
CLIENTS_A_HEAD = 10
"""People known to the case system for each employee; a county's measure."""
LEAST_CLIENTS = 2_400
LEAST_PEOPLE = 40

ABSENT = 0.08
"""Share of staff away on a working day."""
ROAMING = 0.25
"""Share of staff at the second site or on the road, whose web traffic takes the cloud proxy."""
PRIVATE_ADDRESS_KNOWN = 0.85
UNDER_NOTICE = 0.02
ON_DUTY = 0.08
"""Share of a care team that covers for others on a day, and opens cases outside its own caseload."""
DUTY_CASES: Range = (4, 9)
CURIOUS = 0.06
"""How likely one opened case is neither the worker's own nor duty cover: a transfer, a wrong number."""
MOST_OUTSIDE = 12
"""Nobody opens more cases than that outside the caseload on an ordinary day."""
SMALL_EXPORT = 0.22
"""How likely a care worker exports a few records (one to four) on a day."""
MAIL_TO_FAMILY = 0.01
"""How likely a care worker mails one care plan to a client's own mailbox on a day."""
NEWSLETTER_READERS = 4
"""Readers of the newsletter for each employee, up to `MOST_READERS`."""
MOST_READERS = 4_000

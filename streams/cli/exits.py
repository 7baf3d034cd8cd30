"""What the exit status of every command means."""

from __future__ import annotations

DONE = 0
FINDINGS = 1
USAGE = 2
REJECTED = 3

HELP = (
    "Exit status: 0 done, however much matched or fired · 1 findings of a check, failed tests, or rules that"
    " had to be refused or failed on an event (listed on standard error; the others still ran) · 2 wrong use"
    " or configuration · 3 some records were rejected (each with its reason on standard error)."
)

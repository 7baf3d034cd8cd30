"""What the configuration folder says, read and checked; `load.py` makes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from streams.enrich.destination import DestinationTable
from streams.enrich.directory import Directory
from streams.enrich.domains import Domains
from streams.enrich.pseudonym import Pseudonymiser
from streams.enrich.subjects import Pattern


@dataclass(frozen=True, slots=True)
class EnrichConfig:
    """Everything that enrichment knows besides the events. Caseloads: pseudonyms of people by actor id."""

    pseudonyms: Pseudonymiser
    domains: Domains
    directory: Directory
    destinations: DestinationTable
    patterns: tuple[Pattern, ...]
    caseloads: Mapping[str, frozenset[str]]

"""What is known of domain names in general: their registered part, and which are well-known services."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TypeVar

from publicsuffixlist import PublicSuffixList

from streams.memo import remembered

_Found = TypeVar("_Found")


class Domains:
    """`services` gives the class of well-known domains; `mailboxes` give anybody a mailbox."""

    def __init__(
        self, suffixes: PublicSuffixList, services: Mapping[str, str], mailboxes: Collection[str]
    ) -> None:
        self._suffixes = suffixes
        self._services = services
        self._mailboxes = mailboxes
        self.registered = remembered(self._registered)
        self.service = remembered(self._service)

    def is_public_suffix(self, domain: str) -> bool:
        """Tell whether names below a domain belong to strangers, as below `co.uk`."""
        return self._suffixes.publicsuffix(domain, accept_unknown=False) == domain

    def _registered(self, domain: str) -> str:
        """Give the part of a domain that somebody registered; the domain itself where there is none."""
        return self._suffixes.privatesuffix(domain) or domain

    def _service(self, domain: str) -> str | None:
        """Give the class of a well-known service, `webmail` for one that gives anybody a mailbox, or None."""
        found = below(self._services, domain)
        if found is None and any(parent in self._mailboxes for parent in parents(domain)):
            return "webmail"
        return found


@remembered
def clean_domain(text: str) -> str:
    """Write a domain as it is compared: lower case, no final dot or brackets, other scripts as in DNS."""
    domain = text.strip().strip("[]").rstrip(".").lower()
    if domain.isascii():
        return domain
    try:
        return domain.encode("idna").decode("ascii")
    except UnicodeError:
        return domain


def parents(domain: str) -> Iterator[str]:
    """Give a domain and each of its parents, the longest first."""
    while domain:
        yield domain
        domain = domain.partition(".")[2]


def below(table: Mapping[str, _Found], domain: str) -> _Found | None:
    """Give what a table says of a domain or of the nearest of its parents, or None."""
    return next((table[parent] for parent in parents(domain) if parent in table), None)

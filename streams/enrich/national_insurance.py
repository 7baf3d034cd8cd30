"""The form of a National Insurance number; python-stdnum has no module for it, and it has no check digit.

Two prefix letters, six digits, a suffix A to D. Prefixes that are never given out are
refused (HMRC, National Insurance Manual NIM39110).
"""

from __future__ import annotations

import re

_FORM = re.compile(r"([A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z])[0-9]{6}[A-D]", re.IGNORECASE | re.ASCII)
_NEVER_GIVEN = frozenset({"BG", "GB", "KN", "NK", "NT", "TN", "ZZ"})


def is_national_insurance(text: str) -> bool:
    """Tell whether text, free of separators, is a National Insurance number that may have been given out."""
    found = _FORM.fullmatch(text)
    return found is not None and found[1].upper() not in _NEVER_GIVEN

"""Regular expressions over texts that an attacker may write: none can hang a run."""

from __future__ import annotations

from streams.safe_regex.find import Search, compile_find
from streams.safe_regex.parse import RegexError
from streams.safe_regex.search import TextTooLongError, compile_search, longest_text

__all__ = ["RegexError", "Search", "TextTooLongError", "compile_find", "compile_search", "longest_text"]

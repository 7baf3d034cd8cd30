"""The prefilter by itself: what it looks for, that it follows the events, and that its choices can be kept."""

from __future__ import annotations

from pathlib import Path

import hyperscan
import pytest

import workload
from streams.detect.canonical import scan_text
from streams.detect.load import load, loads
from streams.detect.necessary import Chooser
from streams.detect.regex_literals import required
from streams.detect.ruleset import RuleSet
from streams.detect.fields import NONE
from streams.event import Event, Fields, Origin
from streams.runtime.cache import FolderCache, user_cache

ORIGIN = Origin("s", "f", 0, 0)

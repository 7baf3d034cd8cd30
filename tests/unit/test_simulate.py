"""The simulated council: the same bytes for the same arguments, lines that parse, a truth that is exact."""

from __future__ import annotations

import csv
import tomllib
from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.gb import nhs
from typer.testing import CliRunner

from streams.cli import app, exits
from streams.enrich.load import load
from streams.errors import ConfigError, Ignored
from streams.normalise import FORMATS
from streams.normalise.base import Context, Parsed
from streams.settings import load as load_settings
from streams.simulate.incidents import STORIES
from streams.simulate.run import START, Simulation, simulate
from streams.simulate.sources import SOURCES
from streams.simulate.workdays import is_weekend, is_working_day, working_days

RULES = Path(__file__).resolve().parents[2] / "rules"
SHORT = sorted(name for name, story in STORIES.items() if story.least_days == 1)
LONG = "low_and_slow"
Parse = dict[tuple[str, int], Parsed]


def written(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def lines_of(folder: Path, source: str) -> list[str]:
    return (folder / "logs" / SOURCES[source].file).read_text(encoding="utf-8").splitlines()


def stories_of(folder: Path) -> dict[str, dict[str, Any]]:
    truth = orjson.loads((folder / "truth.json").read_bytes())
    return {story["name"]: story for story in truth["incidents"] + truth["lookalikes"]}


@pytest.fixture(scope="module")
def one_day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("one_day")
    simulate(Simulation(seed=7, people=60, days=1), folder, RULES)
    return folder


@pytest.fixture(scope="module")
def four_weeks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("four_weeks")
    simulate(Simulation(seed=7, people=40, days=28, stories=[LONG]), folder, RULES)
    return folder


@pytest.fixture(scope="module")
def parsed(one_day: Path) -> Parse:
    """Every line of the day, read by its format."""
    found: Parse = {}
    for name, source in SOURCES.items():
        form, context = FORMATS[source.format], Context(received=0)
        for number, line in enumerate(lines_of(one_day, name)):
            try:
                found[name, number] = form.parse(line, context)
            except Ignored:
                continue
    return found


def test_same_arguments_give_the_same_bytes(one_day: Path, tmp_path: Path) -> None:
    simulate(Simulation(seed=7, people=60, days=1), tmp_path, RULES)
    assert written(tmp_path) == written(one_day)


def test_another_seed_gives_another_council(one_day: Path, tmp_path: Path) -> None:
    simulate(Simulation(seed=8, people=60, days=1), tmp_path, RULES)
    same = {name for name, data in written(tmp_path).items() if data == written(one_day)[name]}
    assert same == {"outfall.toml", "live.toml", "config/subjects.toml", "config/destinations.toml"}


def test_what_is_planted_does_not_change_the_rest(one_day: Path, tmp_path: Path) -> None:
    simulate(Simulation(seed=7, people=60, days=1, stories=["mail_home"]), tmp_path, RULES)
    few, all_of_them = stories_of(tmp_path), stories_of(one_day)
    assert few.keys() == {"mail_home"} | {name for name in SHORT if STORIES[name].routine}
    for name, story in few.items():
        assert {**story, "events": None} == {**all_of_them[name], "events": None}


def test_every_log_has_lines_in_the_order_of_time(parsed: Parse) -> None:
    last: Counter[str] = Counter()
    for (source, _), event in parsed.items():
        assert event.time is not None
        assert event.time >= last[source]
        last[source] = event.time
    assert set(last) == set(SOURCES)


def test_every_line_is_recognised_as_what_it_is(one_day: Path) -> None:
    for name, source in SOURCES.items():
        form = FORMATS[source.format]
        assert all(form.recognises(line) for line in lines_of(one_day, name)), name


def test_identities_are_unique(parsed: Parse) -> None:
    for source in SOURCES:
        known = [event.id for (name, _), event in parsed.items() if name == source and event.id is not None]
        assert len(known) == len(set(known)), source


def test_volume_is_that_of_real_people(one_day: Path) -> None:
    lines = sum(len(lines_of(one_day, source)) for source in SOURCES)
    assert 100 <= lines / 60 <= 200


@pytest.mark.parametrize("name", SHORT)
def test_truth_points_at_lines_that_the_actor_made(name: str, one_day: Path, parsed: Parse) -> None:
    story = stories_of(one_day)[name]
    assert story["events"]
    assert story["subject_count"] == len(story["subjects"]) == len(set(story["subjects"]))
    assert len(story["records"]) == len(set(story["records"]))
    lines = {source: lines_of(one_day, source) for source in SOURCES}
    entry = next(row for row in directory(one_day) if row["id"] == story["actor"])
    for event in story["events"]:
        line = lines[event["source"]][event["line"]]
        if event["source"] != "mail":  # there a message's first line alone names who sends it
            assert entry["id"] in line or entry["emails"] in line
        assert (event["source"], event["line"]) in parsed


@pytest.mark.parametrize(
    ("name", "people"),
    [
        ("mail_home", 400),
        ("zip_upload", 180),
        ("leaver_usb", 120),
        ("partner_transfer", 300),
        ("bulk_review", 180),
    ],
)
def test_case_system_names_exactly_the_people_of_the_truth(
    name: str, people: int, one_day: Path, parsed: Parse
) -> None:
    story = stories_of(one_day)[name]
    evidence = [
        parsed[event["source"], event["line"]]
        for event in story["events"]
        if event["source"] == "case_system"
    ]
    subjects = {subject for event in evidence for subject in listed(event, "outfall.raw.subject")}
    records = {record for event in evidence for record in listed(event, "outfall.raw.record")}
    assert subjects == set(story["subjects"])
    assert records == set(story["records"])
    assert len(subjects) == people


def test_nothing_else_of_that_day_adds_people_to_the_four_hundred(one_day: Path, parsed: Parse) -> None:
    story = stories_of(one_day)["mail_home"]
    seen = {
        subject
        for (source, _), event in parsed.items()
        if source == "case_system" and event.fields.get("user.name") == story["actor"]
        for subject in listed(event, "outfall.raw.subject")
    }
    assert seen == set(story["subjects"])


def test_mail_home_goes_to_the_own_mailbox_with_the_exported_file(one_day: Path, parsed: Parse) -> None:
    story = stories_of(one_day)["mail_home"]
    entry = next(row for row in directory(one_day) if row["id"] == story["actor"])
    assert story["destination"] == entry["private_addresses"]
    of_source = {event["source"]: parsed[event["source"], event["line"]] for event in story["events"]}
    mail, export = of_source["gateway"], of_source["case_system"]
    assert listed(mail, "email.to.address") == [story["destination"]]
    assert set(listed(mail, "outfall.content.carries")) == set(listed(export, "outfall.content.produces"))


def test_stick_carries_the_exported_files(one_day: Path, parsed: Parse) -> None:
    evidence = [
        parsed[event["source"], event["line"]] for event in stories_of(one_day)["leaver_usb"]["events"]
    ]
    made = {one for event in evidence for one in listed(event, "outfall.content.produces")}
    carried = {
        one
        for event in evidence
        if event.fields.get("outfall.channel") == "removable"
        for one in listed(event, "outfall.content.carries")
    }
    assert len(carried) == 6  # three files, each by hash and by name
    assert carried <= made


def test_leaver_has_given_notice(one_day: Path) -> None:
    actor = stories_of(one_day)["leaver_usb"]["actor"]
    entry = next(row for row in directory(one_day) if row["id"] == actor)
    assert entry["notice_date"] < START.isoformat() < entry["leaver_date"]


def test_upload_is_a_little_longer_than_the_picture(one_day: Path, parsed: Parse) -> None:
    last = stories_of(one_day)["zip_upload"]["events"][-1]
    uploads = [
        parsed[event["source"], event["line"]]
        for event in stories_of(one_day)["zip_upload"]["events"]
        if event["source"] in ("proxy", "zscaler")
    ]
    assert last
    assert [event.fields["url.domain"] for event in uploads] == ["mega.nz"]
    sent = uploads[0].fields["http.request.bytes"]
    assert isinstance(sent, int)
    assert 142_377 < sent < 144_000


def test_low_and_slow_is_thirty_a_day_on_twenty_weekdays(four_weeks: Path) -> None:
    story = stories_of(four_weeks)[LONG]
    lines = {source: lines_of(four_weeks, source) for source in ("case_system", "gateway")}
    evidence = [
        (event["source"], orjson.loads(lines[event["source"]][event["line"]])) for event in story["events"]
    ]
    exports = [line for source, line in evidence if source == "case_system"]
    mails = [line for source, line in evidence if source == "gateway"]
    assert [len(line["records"]) for line in exports] == [30] * 20
    assert len({line["time"][:10] for line in exports}) == 20
    assert len({entry["person"] for line in exports for entry in line["records"]}) == 600
    assert [line["email"]["to"]["address"] for line in mails] == [[story["destination"]]] * 20
    assert not any(is_weekend(date.fromisoformat(line["time"][:10])) for line in exports)


def test_ordinary_days_stay_ordinary(four_weeks: Path) -> None:
    """Nobody but the planted exports few people's records in a day, or opens very many."""
    services = {row["id"] for row in directory(four_weeks) if row["service_account"] == "true"}
    planted = stories_of(four_weeks)[LONG]["actor"]
    exported: dict[tuple[str, str], set[str]] = {}
    opened: dict[tuple[str, str], set[str]] = {}
    for line in lines_of(four_weeks, "case_system"):
        entry = orjson.loads(line)
        who = entry["actor"]["account"].partition("\\")[2]
        kept = exported if entry["action"] == "record.exported" else opened
        people = kept.setdefault((who, entry["time"][:10]), set())
        if who not in services and who != planted:
            people.update(record["person"] for record in entry["records"])
    assert max(map(len, exported.values())) <= 5
    assert max(map(len, opened.values())) <= 45


def test_nobody_has_another_mailbox_or_id(one_day: Path) -> None:
    rows = directory(one_day)
    for column in ("id", "accounts", "emails"):
        assert len({row[column] for row in rows}) == len(rows)
    private = [row["private_addresses"] for row in rows if row["private_addresses"]]
    assert len(private) == len(set(private))


def test_nhs_numbers_are_valid_and_of_the_range_for_tests(one_day: Path) -> None:
    with (one_day / "config" / "caseload.csv").open(encoding="utf-8", newline="") as file:
        subjects = {row["subject"] for row in csv.DictReader(file)}
    numbers = [subject for subject in subjects if not subject.startswith("P-")]
    assert len(numbers) > 50
    assert all(nhs.is_valid(number) and number.startswith("999") for number in numbers)


def test_configuration_loads(one_day: Path) -> None:
    config = load(one_day / "config", key=None)
    assert len(config.directory.by_id) == 65
    settings = load_settings(one_day / "outfall.toml", formats=FORMATS)
    assert [source.name for source in settings.sources] == list(SOURCES)
    assert settings.rules == [RULES]


def test_settings_name_a_folder_of_rules_with_a_quote(tmp_path: Path) -> None:
    rules = tmp_path / 'a"b\\c'
    simulate(Simulation(seed=1, people=40, days=1, stories=[]), tmp_path / "out", rules)
    settings = tomllib.loads((tmp_path / "out" / "outfall.toml").read_text(encoding="utf-8"))
    assert settings["rules"] == [str(rules)]


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (Simulation(1, 39, 1), "--people"),
        (Simulation(1, 40, 0), "--days"),
        (Simulation(1, 40, 1, stories=["heist"]), "no heist"),
        (Simulation(1, 40, 27, stories=[LONG]), "28 days"),
    ],
)
def test_impossible_simulations_are_refused(wanted: Simulation, said: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=said):
        simulate(wanted, tmp_path / "out", RULES)
    assert not (tmp_path / "out").exists()


def test_command_writes_what_it_promises(tmp_path: Path) -> None:
    arguments = ["simulate", "--seed", "3", "--people", "40", "--days", "2", "--start", "2026-05-01"]
    result = CliRunner().invoke(app, [*arguments, "--out", str(tmp_path), "--incident", "zip_upload"])
    assert result.exit_code == exits.DONE, result.output
    written = {path.name for path in tmp_path.iterdir()}
    assert written == {"config", "logs", "outfall.toml", "live.toml", "truth.json"}
    assert stories_of(tmp_path)["zip_upload"]["start"].startswith("2026-05-01")


def test_command_refuses_with_a_reason(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["simulate", "--people", "3", "--out", str(tmp_path / "out")])
    assert result.exit_code == exits.USAGE
    assert "at least 40" in result.output


@pytest.mark.parametrize(
    "day", ["2026-01-01", "2026-04-03", "2026-04-06", "2026-05-04", "2026-12-25", "2026-12-28", "2027-12-27"]
)
def test_bank_holidays(day: str) -> None:
    assert not is_working_day(date.fromisoformat(day))


@given(st.dates(date(2000, 1, 1), date(2099, 12, 1)))
def test_a_week_has_at_most_five_working_days(start: date) -> None:
    week = [start + timedelta(place) for place in range(7)]
    assert 2 <= len(working_days(week)) <= 5


def directory(folder: Path) -> list[dict[str, str]]:
    with (folder / "config" / "directory.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def listed(event: Parsed, name: str) -> list[Any]:
    value = event.fields.get(name)
    return value if isinstance(value, list) else [] if value is None else [value]

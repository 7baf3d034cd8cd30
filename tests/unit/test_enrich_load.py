from __future__ import annotations

import base64
import datetime as dt
from pathlib import Path

import pytest
from enrich_folder import FILES, HEADER, KEY, enriched, write

from streams.enrich import Enricher
from streams.enrich.load import describe, load, stated_key
from streams.enrich.problems import toml_line
from streams.errors import ConfigError

OTHER = "k0:" + base64.b64encode(bytes(32)).decode()


def problems(folder: Path | None, key: str | None = KEY) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(folder, key=key)
    start = f"{folder}/" if folder else ""
    return [problem.removeprefix(start) for problem in caught.value.problems]


def test_a_whole_folder_and_none_at_all(tmp_path: Path) -> None:
    config = load(write(tmp_path, FILES), key=KEY)
    assert len(config.directory.by_id) == 6
    assert len(config.patterns) == 3
    assert {actor: len(people) for actor, people in config.caseloads.items()} == {"E1001": 2, "E1002": 1}
    assert config.directory.by_id["E1001"].notice_date == dt.date(2026, 3, 1)
    assert load(None, key=KEY).directory.by_id == {}


@pytest.mark.parametrize("name", FILES)
def test_each_file_works_without_the_others(tmp_path: Path, name: str) -> None:
    config = load(write(tmp_path, {name: FILES[name]}), key=KEY)
    found = enriched(
        Enricher(config), {"outfall.channel": "email", "user.name": "x", "outfall.raw.subject": "P7"}
    )
    assert found["outfall.actor.id"] == "x"


def test_the_first_key_is_the_current_one_and_the_environment_wins(tmp_path: Path) -> None:
    fields = {"outfall.raw.subject": "P7"}
    write(tmp_path, {"pseudonym.key": f"# keys\n\n{OTHER}\n{KEY}\n"})
    from_file = enriched(Enricher(load(tmp_path, key=None)), dict(fields))["outfall.subjects.id"]
    from_environment = enriched(Enricher(load(tmp_path, key=KEY)), dict(fields))["outfall.subjects.id"]
    assert str(from_file).startswith("['k0:")
    assert str(from_environment).startswith("['k1:")


def test_the_key_may_be_in_a_file_that_the_environment_names(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(KEY + "\n")
    assert load(None, key=stated_key({"OUTFALL_PSEUDONYM_KEY_FILE": str(file)})).pseudonyms.key_id == "k1"
    assert stated_key({"OUTFALL_PSEUDONYM_KEY": KEY}) == KEY
    assert stated_key({}) is None
    with pytest.raises(ConfigError, match="both set"):
        stated_key({"OUTFALL_PSEUDONYM_KEY": KEY, "OUTFALL_PSEUDONYM_KEY_FILE": str(file)})
    with pytest.raises(ConfigError, match=r"OUTFALL_PSEUDONYM_KEY_FILE.*missing"):
        stated_key({"OUTFALL_PSEUDONYM_KEY_FILE": str(tmp_path / "missing")})


@pytest.mark.parametrize("folder", [True, False])
@pytest.mark.parametrize("key", [None, "", "# nothing"])
def test_without_a_key_it_says_how_to_make_one(tmp_path: Path, folder: bool, key: str | None) -> None:
    [problem] = problems(tmp_path if folder else None, key)
    assert "OUTFALL_PSEUDONYM_KEY" in problem
    assert "base64" in problem
    if folder:
        assert problem.endswith(f"> {tmp_path}/pseudonym.key")


@pytest.mark.parametrize(
    "line", ["k1", KEY.partition(":")[2], "k1:AAAA", KEY + "x", "k 1:" + KEY.partition(":")[2], "k1:ü"]
)
def test_a_key_that_is_none_is_named_by_its_line_and_not_shown(tmp_path: Path, line: str) -> None:
    write(tmp_path, {"pseudonym.key": f"{OTHER}\n{line}\n{OTHER}\n"})
    first, second = problems(tmp_path, None)
    assert first.startswith("pseudonym.key:2: a line is key-id:base64")
    assert KEY.partition(":")[2] not in first
    assert second == "pseudonym.key:3: the key id k0 is used twice"


def test_all_problems_of_all_files_come_at_once(tmp_path: Path) -> None:
    directory = HEADER.replace("team", "taem") + "E1,,,,,,,,,\n"
    destinations = """
internal_domains = ["council.example", "co.uk"]
internal_networks = ["10.0.0.0/8", "10/99"]
[[partner]]
name = "A"
agreement = "1"
domains = ["a.example"]
[[partner]]
name = "B"
agreement = "2"
domains = ["a.example"]
[[partner]]
name = "C"
"""
    subjects = """
[[pattern]]
name = "one"
fields = ["url.full"]
regex = "(?P<subject>x"
[[pattern]]
name = "two"
fields = ["url.full"]
regex = "x"
validate = "iban"
colour = "red"
"""
    found = problems(
        write(
            tmp_path,
            {
                "directory.csv": directory,
                "destinations.toml": destinations,
                "subjects.toml": subjects,
                "caseload.csv": "actor,subject\nx,\n",
                "pseudonym.key": "nonsense",
            },
        ),
        None,
    )
    places = sorted(problem.partition(": ")[0] for problem in found)
    assert places == [
        "caseload.csv:2",
        "destinations.toml:11",
        "destinations.toml:12",
        "destinations.toml:12",
        "destinations.toml:2",
        "destinations.toml:3",
        "directory.csv:1",
        "pseudonym.key:1",
        "subjects.toml:10",
        "subjects.toml:11",
        "subjects.toml:5",
        "subjects.toml:9",
    ]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ("E1,,,,,,31/03/2026,,,\n", "directory.csv:2: notice_date is a date"),
        ("E1,,,,,yes,,,,\n", "directory.csv:2: service_account is true"),
        (",,,,,,,,,\n,x,,,,,,,,\n", "directory.csv:3: id is empty"),
        ("E1,A\\x,,,,,,,,\nE2,a\\X,,,,,,,,\n", "directory.csv:3: an account or address of two people, see"),
        ("E1,,,,,,,,,\nE1,,,,,,,,,\n", "directory.csv:3: the id of two entries, see"),
        ("E1,,,,,,,,,,,\n", "directory.csv:2: more cells than columns"),
        ('E1,"x,,,,,,,,,\n', "directory.csv:2: not valid CSV"),
    ],
)
def test_wrong_rows_of_the_directory(tmp_path: Path, rows: str, expected: str) -> None:
    [problem] = problems(write(tmp_path, {"directory.csv": HEADER + rows}))
    assert problem.startswith(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a = [", "destinations.toml:1: not valid TOML"),
        ("\nintern = []", "destinations.toml:2: intern: there is no such key"),
        ('internal_networks = ["10/99"]', "destinations.toml:1: internal_networks[0]: a network such as"),
        ('internal_domains = ["*.x.example"]', "destinations.toml:1: internal_domains[0]: a domain such as"),
        ('[classes]\n\n"a.example" = "nowhere"', "destinations.toml:3: classes.a.example: one of"),
        (
            '[[partner]]\nname="A"\ndomains=["a.example"]',
            "destinations.toml:1: partner[0].agreement: it is missing",
        ),
        (
            '[[partner]]\nname="A"\nagreement="1"',
            "destinations.toml:1: partner[0].addresses: domains or addresses are needed",
        ),
        (
            'internal_domains=["a.example"]\n[[partner]]\nname="A"\nagreement="1"\ndomains=["a.example"]',
            "destinations.toml:5: partner[0].domains: a.example is among internal_domains",
        ),
        (
            '[[partner]]\nname="A"\nagreement="1"\naddresses=["A@b.example"]\n' * 2,
            "destinations.toml:8: partner[1].addresses: a@b.example is another partner's already",
        ),
        (
            '[[partner]]\nname="A"\nagreement="1"\ndomains=["x.example"]\nexpires = "soon"',
            "destinations.toml:5: partner[0].expires:",
        ),
    ],
)
def test_wrong_destinations(tmp_path: Path, text: str, expected: str) -> None:
    [problem] = problems(write(tmp_path, {"destinations.toml": text}))
    assert problem.startswith(expected)


@pytest.mark.parametrize(
    ("regex", "expected"),
    [
        (r"(?P<subject>(?:\d+ ?)+)$", "the expression could take for ever"),
        ("(?<=a+)(?P<subject>b)", "the expression is invalid: look-behind"),
        ("(?P<person>b)", "a named group is needed"),
        (7, "a regular expression as text"),
    ],
)
def test_patterns_that_cannot_be_run_safely(tmp_path: Path, regex: object, expected: str) -> None:
    text = f"[[pattern]]\nname = 'one'\nfields = ['url.full']\nregex = {regex!r}\n".replace("\\\\", "\\")
    [problem] = problems(write(tmp_path, {"subjects.toml": text}))
    assert problem.startswith(f"subjects.toml:4: pattern[0].regex: {expected}")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("directroy.csv", "did you mean directory.csv?"),
        ("Subjects.toml", "did you mean subjects.toml?"),
        ("destinations.tml", "did you mean destinations.toml?"),
        ("employees.csv", "known are pseudonym.key, directory.csv"),
    ],
)
def test_a_file_that_nothing_reads(tmp_path: Path, name: str, said: str) -> None:
    [problem] = problems(write(tmp_path, {name: ""}))
    assert problem.startswith(f"{name}: nothing reads this file; ")
    assert said in problem


def test_backups_notes_and_the_settings_may_lie_there_too(tmp_path: Path) -> None:
    names = ["directory.csv.old", ".subjects.toml.swp", "README.md", "outfall.toml"]
    load(write(tmp_path, dict.fromkeys(names, "")), key=KEY)


def test_what_was_read_is_told_in_a_line(tmp_path: Path) -> None:
    told = "6 actors, 2 caseloads, 2 internal domains, 2 partners, 3 patterns, pseudonyms with the key k1"
    assert describe(load(write(tmp_path, FILES), key=KEY)) == told


def test_what_cannot_be_read(tmp_path: Path) -> None:
    assert problems(tmp_path / "nowhere")[0].endswith("is no folder")
    (tmp_path / "directory.csv").write_bytes(b"id\n\xff\n")
    (tmp_path / "caseload.csv").mkdir()
    found = problems(tmp_path)
    assert found[0] == "directory.csv: is not UTF-8 at byte 3"
    assert found[1].startswith("caseload.csv: cannot be read")


@pytest.mark.parametrize(
    ("location", "line"),
    [
        (("a",), 1),
        (("t", 0, "k"), 3),
        (("t", 1, "k"), 6),
        (("t", 1, "none"), 4),
        (("u", "v w"), 8),
        (("zzz",), 1),
    ],
)
def test_lines_of_toml(location: tuple[int | str, ...], line: int) -> None:
    text = 'a = 1\n[[t]]\nk = 1\n[[t]] # second\nj = 1\nk = 1\n[u]\n"v w" = 2\n'
    assert toml_line(text, location) == line


LDIF = f"""version: 1
# people
dn: CN=Jo Smith,OU=Adult Care,DC=borough,DC=example
objectClass: top
objectClass: user
sAMAccountName: JSmith
mail: J.Smith@borough
 .example
proxyAddresses: smtp:jo.smith@borough.example
proxyAddresses: X400:c=gb
department:: {base64.b64encode("Pflege für Ältere".encode()).decode()}
title: Social Worker
accountExpires: 134194752000000000
otherMailbox: jo@mail.example
thumbnailPhoto:: /9j/4AAQ
objectSid: S-1-5-21-1-2-3-1104

dn: CN=PC-1,DC=borough,DC=example
objectClass: user
objectClass: computer
sAMAccountName: PC-1$

dn: uid=apatel,ou=people,dc=borough,dc=example
objectClass: inetOrgPerson
uid: apatel
mail: a.patel@borough.example
accountExpires: 9223372036854775807

dn: CN=svc,DC=borough,DC=example
objectClass: msDS-GroupManagedServiceAccount
sAMAccountName: svc$
"""


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_directory_as_ldif(tmp_path: Path, newline: str) -> None:
    (tmp_path / "directory.ldif").write_bytes(LDIF.replace("\n", newline).encode())
    people = load(tmp_path, key=KEY).directory.by_id
    assert set(people) == {"jsmith", "apatel", "svc$"}
    smith = people["jsmith"]
    assert smith.accounts == ("jsmith", "s-1-5-21-1-2-3-1104")
    assert smith.emails == ("j.smith@borough.example", "jo.smith@borough.example")
    assert (smith.team, smith.role) == ("Pflege für Ältere", "Social Worker")
    assert smith.leaver_date == dt.date(2026, 4, 1)
    assert smith.private_addresses == {"jo@mail.example"}
    assert people["apatel"].leaver_date is None
    assert people["svc$"].service_account


def test_ldif_and_csv_are_one_directory(tmp_path: Path) -> None:
    write(tmp_path, {"directory.ldif": LDIF, "directory.csv": HEADER + "E1,jsmith,,,,,,,,\n"})
    [problem] = problems(tmp_path)
    assert problem.startswith("directory.ldif:3: an account or address of two people, see")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("jpegPhoto:< file:///tmp/x", "directory.ldif:2: values by URL"),
        ("changetype: modify", "directory.ldif:2: change records"),
        ("-", "directory.ldif:2: not an attribute"),
    ],
)
def test_ldif_that_is_not_read(tmp_path: Path, line: str, expected: str) -> None:
    [problem] = problems(write(tmp_path, {"directory.ldif": f"dn: x\n{line}\n"}))
    assert problem.startswith(expected)


def test_the_examples_in_the_documentation_are_valid(tmp_path: Path) -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / "configuration-folder.md").read_text(
        encoding="utf-8"
    )
    blocks = [block.partition("\n")[2] for block in text.split("```")[1::2]]
    names = ["pseudonym.key", "directory.csv", "caseload.csv", "destinations.toml", "subjects.toml"]
    config = load(write(tmp_path, dict(zip(names, blocks, strict=True))), key=None)
    assert config.caseloads.keys() == {"E1001"}
    assert len(config.patterns) == 2

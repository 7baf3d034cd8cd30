"""Files and documents: shares, workstations, printers, SharePoint, Drive."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from streams.simulate import mail
from streams.simulate.document import document, everyday, size
from streams.simulate.names import EXTENSIONS
from streams.simulate.people import Person
from streams.simulate.record import Record
from streams.simulate.sources import drive, m365, windows

_OPERATIONS = ("FileAccessed",) * 6 + ("FileModified",) * 3 + ("FileUploaded", "FileDownloaded")
_ACTIVITIES = ("view",) * 6 + ("edit",) * 3 + ("upload", "download")


def local(random: Random, person: Person, moments: list[int]) -> list[Record]:
    """Use files of a share and of the workstation."""
    records = []
    share = "Teams" if not person.carer else "Cases"
    for moment in moments:
        file = everyday(random)
        kind = random.random()
        if kind < 0.5:
            folder = person.team.title()
            if person.carer and random.random() < 0.6:
                folder = random.choice(person.caseload).record
            access = windows.WRITE if random.random() < 0.3 else windows.READ
            records.append(windows.on_share(random, moment, person, share, rf"{folder}\{file.name}", access))
        elif kind < 0.75:
            path = windows.home(person, "Documents", file.name)
            access = windows.WRITE if random.random() < 0.4 else windows.READ
            records.append(windows.accessed(random, moment, person, path, windows.OFFICE, access))
        elif kind < 0.92:
            path = windows.home(person, "Documents", f"~${file.name}")
            records.append(windows.created(moment, person, path, windows.OFFICE))
        elif person.team == "it" and kind > 0.97:
            records += _archive(random, person, moment)
        else:
            path = windows.home(person, "Downloads", file.name)
            records.append(windows.created(moment, person, path, windows.BROWSER))
            records.append(windows.downloaded(moment + 15_000, person, path, file))
    return records


def printing(random: Random, person: Person, moments: list[int]) -> list[Record]:
    """Print everyday documents."""
    records = []
    for moment in moments:
        pages = random.randint(1, 12)
        name = everyday(random).name
        records.append(windows.printed(random, moment, person, name, pages * 52_000, pages))
    return records


def documents(
    random: Random, person: Person, moments: list[int], colleagues: Sequence[Person]
) -> list[Record]:
    """Work on documents in the team's cloud; where there are colleagues, now and then let somebody in."""
    if person.habits.cloud == "drive":
        return _in_drive(random, person, moments, share=bool(colleagues))
    records = []
    for moment in moments:
        file, item = everyday(random), m365.new_item(random)
        operation = random.choice(_OPERATIONS)
        records.append(m365.file_operation(random, moment, person, operation, file, item))
        chance = random.random()
        if chance < 0.01:
            count = random.randint(1, 4)
            records.append(m365.dlp_match(random, moment + 40_000_000, person, file, item, count))
        elif chance < 0.05 and colleagues:
            target = mail.stranger(random) if random.random() < 0.2 else random.choice(colleagues).email
            records.append(m365.shared(random, moment + 60_000_000, person, file, item, target))
    return records


def inbox_rule(random: Random, person: Person, moment: int) -> Record:
    """Sort mail into a folder by a rule, as many do."""
    words = random.choice(("newsletter", "minutes", "training"))
    rule = {"Name": words, "SubjectContainsWords": words, "MoveToFolder": words.capitalize()}
    return m365.inbox_rule(random, moment, person, rule)


def _in_drive(random: Random, person: Person, moments: list[int], *, share: bool) -> list[Record]:
    records = []
    for moment in moments:
        title, item = everyday(random).name, drive.new_id(random)
        records.append(drive.activity(random, moment, person, random.choice(_ACTIVITIES), title, item))
        if share and random.random() < 0.03:
            target = mail.stranger(random)
            later = moment + 45_000_000
            records.append(
                drive.activity(random, later, person, "change_user_access", title, item, target=target)
            )
    return records


def _archive(random: Random, person: Person, moment: int) -> list[Record]:
    """Zip logs for a supplier's support, as administrators do."""
    log = document(random, f"diagnostics_{random.randint(1, 900)}.{EXTENSIONS[-1]}", size(random, 400_000))
    path = windows.home(person, "Documents", log.name)
    zipped = windows.home(person, "Documents", log.name.replace(".txt", ".zip"))
    return [
        windows.accessed(random, moment, person, path, windows.ZIPPER, windows.READ),
        windows.created(moment + 400_000, person, zipped, windows.ZIPPER),
    ]

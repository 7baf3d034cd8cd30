"""Microsoft 365's unified audit: files and sharing, inbox rules, mailbox settings, verdicts of its DLP.

Schemas: https://learn.microsoft.com/office/office-365-management-api/office-365-management-activity-api-schema
"""

from __future__ import annotations

import uuid
from random import Random
from typing import Any

from streams.simulate.document import Document
from streams.simulate.moment import to_second
from streams.simulate.names import AGENTS
from streams.simulate.people import DOMAIN, Person
from streams.simulate.record import Record

TENANT = "northmoor-example"
_ORGANISATION = "5c1d0f64-6f0b-4a07-9d0e-3a2f7c1b9e58"
_FILE_OPERATION, _SHARING, _EXCHANGE_ADMIN, _DLP_SHAREPOINT = 6, 14, 1, 11


def file_operation(
    random: Random, time: int, person: Person, operation: str, file: Document, item: str
) -> Record:
    """Somebody reads, changes, uploads or downloads a file of their team's site; `item` is the file's id."""
    return _record(random, time, person, _FILE_OPERATION, operation, "SharePoint", _place(person, file, item))


def shared(random: Random, time: int, person: Person, file: Document, item: str, target: str) -> Record:
    """Somebody shares a file with one person, by mail address; one from outside gets an invitation."""
    outside = target.rpartition("@")[2] != DOMAIN
    extra = {
        "TargetUserOrGroupName": target,
        "TargetUserOrGroupType": "Guest" if outside else "Member",
        "EventData": "<Permissions granted>Read</Permissions granted>",
    }
    operation = "SharingInvitationCreated" if outside else "SharingSet"
    return _record(
        random, time, person, _SHARING, operation, "SharePoint", _place(person, file, item) | extra
    )


def inbox_rule(random: Random, time: int, person: Person, parameters: dict[str, str]) -> Record:
    """Somebody makes a rule for their inbox; `parameters` are those of New-InboxRule."""
    return _cmdlet(random, time, person, "New-InboxRule", f"{person.email}\\{parameters['Name']}", parameters)


def mailbox_setting(
    random: Random, time: int, admin: Person, mailbox: str, parameters: dict[str, str]
) -> Record:
    """Have an administrator change a mailbox; `parameters` are those of Set-Mailbox."""
    return _cmdlet(random, time, admin, "Set-Mailbox", mailbox, {"Identity": mailbox, **parameters})


def dlp_match(random: Random, time: int, person: Person, file: Document, item: str, count: int) -> Record:
    """Have the DLP find a few sensitive items in a document on a site, and only note it."""
    place = _place(person, file, item)
    rule = {
        "RuleId": "a3e7e2b4-4f0c-4c28-9d53-0a5f7c6f1b11",
        "RuleName": "Low volume of personal data",
        "RuleMode": "Enable",
        "Severity": "Low",
        "Actions": ["NotifyUser"],
        "ActionParameters": [],
        "ConditionsMatched": {
            "SensitiveInformation": [
                {"Confidence": 75, "Count": count, "SensitiveType": "16c07343-c26f-49d2-a987-3daf717e94cc"}
            ]
        },
    }
    extra = {
        "IncidentId": _guid(random),
        "ObjectId": item,
        "PolicyDetails": [
            {
                "PolicyId": "0c6a1f0e-7a35-4d43-8c8c-24d0c5f0f6a9",
                "PolicyName": "UK personal data",
                "Rules": [rule],
            }
        ],
        "SensitiveInfoDetectionIsIncluded": False,
        "SharePointMetaData": {
            "FileName": file.name,
            "FileOwner": person.name,
            "FilePathUrl": place["ObjectId"],
            "FileSize": file.size,
            "From": person.email,
            "SiteCollectionUrl": place["SiteUrl"],
            "UniqueID": item,
        },
        "UserId": "DLPAgent",
        "UserKey": "DLPAgent",
        "UserType": 4,
    }
    return _record(random, time, person, _DLP_SHAREPOINT, "DLPRuleMatch", "SharePoint", extra)


def new_item(random: Random) -> str:
    """Make the id of a file on a site."""
    return _guid(random)


def _cmdlet(
    random: Random, time: int, person: Person, operation: str, target: str, parameters: dict[str, str]
) -> Record:
    extra = {
        "ObjectId": target,
        "ResultStatus": "True",
        "ExternalAccess": False,
        "OrganizationName": f"{TENANT}.onmicrosoft.com",
        "OriginatingServer": "LO2P265MB0417 (15.20.4200.000)",
        "Parameters": [{"Name": name, "Value": value} for name, value in parameters.items()],
    }
    return _record(random, time, person, _EXCHANGE_ADMIN, operation, "Exchange", extra)


def _record(
    random: Random, time: int, person: Person, kind: int, operation: str, workload: str, extra: dict[str, Any]
) -> Record:
    body = {
        "CreationTime": to_second(time),
        "Id": _guid(random),
        "Operation": operation,
        "OrganizationId": _ORGANISATION,
        "RecordType": kind,
        "UserKey": f"i:0h.f|membership|{person.number.lower()}@live.com",
        "UserType": 0,
        "Version": 1,
        "Workload": workload,
        "ClientIP": person.ip,
        "UserId": person.email,
        "UserAgent": AGENTS[0],
    }
    return Record(time, "m365", body | extra)


def _place(person: Person, file: Document, item: str) -> dict[str, Any]:
    site = f"https://{TENANT}.sharepoint.com/sites/{person.team.replace(' ', '-').replace(chr(39), '')}"
    return {
        "ObjectId": f"{site}/Shared Documents/{file.name}",
        "SiteUrl": f"{site}/",
        "SourceRelativeUrl": "Shared Documents",
        "SourceFileName": file.name,
        "SourceFileExtension": file.extension,
        "ListItemUniqueId": item,
        "ItemType": "File",
        "EventSource": "SharePoint",
        "FileSizeBytes": file.size,
    }


def _guid(random: Random) -> str:
    return str(uuid.UUID(int=random.getrandbits(128), version=4))

"""Rules in Microsoft 365's unified audit that send mail on: inbox rules, mailbox forwarding, transport rules.

The parameters are those of the Exchange cmdlets (https://learn.microsoft.com/powershell/module/exchange/).
Outlook itself makes rules as `UpdateInboxRules`, with the actions as JSON in `OperationProperties`.
"""

from __future__ import annotations

from typing import Any

from streams.event import Fields
from streams.normalise.address import mail_addresses
from streams.normalise.json_record import objects
from streams.normalise.values import items, present, text

_CMDLETS = frozenset(
    {
        "new-inboxrule",
        "set-inboxrule",
        "enable-inboxrule",
        "set-mailbox",
        "new-transportrule",
        "set-transportrule",
        "enable-transportrule",
        "updateinboxrules",
    }
)
_FORWARDS = frozenset(
    {
        "forwardto",
        "forwardasattachmentto",
        "redirectto",
        "forwardingsmtpaddress",
        "forwardingaddress",
        "redirectmessageto",
        "copyto",
        "blindcopyto",
        "addtorecipients",
        "ruleactions",
    }
)
"""Parameters whose values are recipients; `RuleActions` is that of `UpdateInboxRules`."""


def mail_rule(record: dict[str, Any]) -> Fields:
    """Give the channel and the targets of a rule that sends mail on; nothing for any other record."""
    if (text(record.get("Operation")) or "").lower() not in _CMDLETS:
        return {}
    targets: dict[str, None] = {}
    forwards = False
    for parameter in (*objects(record.get("Parameters")), *objects(record.get("OperationProperties"))):
        if (text(parameter.get("Name")) or "").lower() in _FORWARDS:
            values = [value for item in items(parameter.get("Value")) if (value := text(item)) is not None]
            targets |= dict.fromkeys(address for value in values for address in mail_addresses(value))
            forwards = forwards or any(map(_sends_on, values))
    if not forwards and not targets:
        return {}
    return present(
        {
            "outfall.channel": "mail_rule",
            "outfall.verdict": "allowed",
            "email.to.address": list(targets),
        }
    )


def _sends_on(value: str) -> bool:
    """Tell whether a parameter's value names somebody, be it by a name inside the organisation."""
    return value.lower() not in {"null", "$null", "[]", "false"} and not value.startswith(("[{", "{"))

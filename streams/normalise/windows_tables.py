"""Tables about Windows events: which of Sigma's log sources an event belongs to, and what it is called.

Log sources: Sigma 2.1, appendix "Taxonomy", "Windows Folder". Actions: Elastic's names for security events.
"""

from __future__ import annotations

from streams.event import LogSource

SYSMON = "microsoft-windows-sysmon/operational"
PRINT = "microsoft-windows-printservice/operational"
SECURITY = "security"

_SERVICES: dict[str, tuple[str, ...]] = {
    SECURITY: ("security",),
    SYSMON: ("sysmon",),
    PRINT: ("printservice-operational",),
    "application": ("application",),
    "dns server": ("dns-server",),
    "microsoft-iis-configuration/operational": ("iis-configuration",),
    "microsoft-servicebus-client/admin": ("servicebus-client", "microsoft-servicebus-client"),
    "microsoft-servicebus-client/operational": ("servicebus-client", "microsoft-servicebus-client"),
    "microsoft-windows-application-experience/program-compatibility-assistant": ("application-experience",),
    "microsoft-windows-application-experience/program-telemetry": ("application-experience",),
    "microsoft-windows-applocker/exe and dll": ("applocker",),
    "microsoft-windows-applocker/msi and script": ("applocker",),
    "microsoft-windows-applocker/packaged app-deployment": ("applocker",),
    "microsoft-windows-applocker/packaged app-execution": ("applocker",),
    "microsoft-windows-appmodel-runtime/admin": ("appmodel-runtime",),
    "microsoft-windows-appxdeploymentserver/operational": ("appxdeployment-server",),
    "microsoft-windows-appxpackaging/operational": ("appxpackaging-om",),
    "microsoft-windows-bitlocker/bitlocker management": ("bitlocker",),
    "microsoft-windows-bits-client/operational": ("bits-client",),
    "microsoft-windows-capi2/operational": ("capi2",),
    "microsoft-windows-certificateservicesclient-lifecycle-system/operational": (
        "certificateservicesclient-lifecycle-system",
    ),
    "microsoft-windows-codeintegrity/operational": ("codeintegrity-operational",),
    "microsoft-windows-dhcp-server/operational": ("dhcp",),
    "microsoft-windows-diagnosis-scripted/operational": ("diagnosis-scripted",),
    "microsoft-windows-dns client events/operational": ("dns-client",),
    "microsoft-windows-dns-client/operational": ("dns-client",),
    "microsoft-windows-dns-server/analytical": ("dns-server-analytic",),
    "microsoft-windows-dns-server/audit": ("dns-server-audit",),
    "microsoft-windows-driverframeworks-usermode/operational": ("driver-framework",),
    "microsoft-windows-hyper-v-worker": ("hyper-v-worker",),
    "microsoft-windows-kernel-eventtracing": ("kernel-event-tracing",),
    "microsoft-windows-kernel-shimengine/diagnostic": ("kernel-shimengine",),
    "microsoft-windows-kernel-shimengine/operational": ("kernel-shimengine",),
    "microsoft-windows-ldap-client/debug": ("ldap",),
    "microsoft-windows-lsa/operational": ("lsa-server",),
    "microsoft-windows-ntfs/operational": ("ntfs",),
    "microsoft-windows-ntlm/operational": ("ntlm",),
    "microsoft-windows-powershell/operational": ("powershell",),
    "microsoft-windows-printservice/admin": ("printservice-admin",),
    "microsoft-windows-security-mitigations/kernel mode": ("security-mitigations",),
    "microsoft-windows-security-mitigations/user mode": ("security-mitigations",),
    "microsoft-windows-security-mitigations/kernelmode": ("security-mitigations",),
    "microsoft-windows-security-mitigations/usermode": ("security-mitigations",),
    "microsoft-windows-sense/operational": ("sense",),
    "microsoft-windows-shell-core/operational": ("shell-core",),
    "microsoft-windows-smbclient/connectivity": ("smbclient-connectivity",),
    "microsoft-windows-smbclient/security": ("smbclient-security",),
    "microsoft-windows-smbserver/connectivity": ("smbserver-connectivity",),
    "microsoft-windows-taskscheduler/operational": ("taskscheduler",),
    "microsoft-windows-terminalservices-localsessionmanager/operational": (
        "terminalservices-localsessionmanager",
    ),
    "microsoft-windows-vhdmp/operational": ("vhdmp",),
    "microsoft-windows-windows defender/operational": ("windefend",),
    "microsoft-windows-windows firewall with advanced security/firewall": ("firewall-as",),
    "microsoft-windows-wmi-activity/operational": ("wmi",),
    "msexchange management": ("msexchange-management",),
    "openssh/operational": ("openssh",),
    "powershellcore/operational": ("powershell",),
    "system": ("system",),
    "windows powershell": ("powershell-classic",),
}

_SYSMON_CATEGORIES: dict[int, tuple[str, ...]] = {
    1: ("process_creation",),
    2: ("file_change",),
    3: ("network_connection",),
    4: ("sysmon_status",),
    5: ("process_termination",),
    6: ("driver_load",),
    7: ("image_load",),
    8: ("create_remote_thread",),
    9: ("raw_access_thread",),
    10: ("process_access",),
    11: ("file_event",),
    12: ("registry_event", "registry_add", "registry_delete"),
    13: ("registry_event", "registry_set"),
    14: ("registry_event", "registry_rename"),
    15: ("create_stream_hash",),
    16: ("sysmon_status",),
    17: ("pipe_created",),
    18: ("pipe_created",),
    19: ("wmi_event",),
    20: ("wmi_event",),
    21: ("wmi_event",),
    22: ("dns_query",),
    23: ("file_delete",),
    24: ("clipboard_capture",),
    25: ("process_tampering",),
    26: ("file_delete_detected",),
    27: ("file_block_executable",),
    28: ("file_block_shredding",),
    29: ("file_executable_detected",),
    255: ("sysmon_error",),
}
_REGISTRY_TYPES = {
    "createkey": ("registry_event", "registry_add"),
    "deletekey": ("registry_event", "registry_delete"),
    "deletevalue": ("registry_event", "registry_delete"),
}
"""Sysmon 12 tells creation from deletion only by its `EventType`; without one it counts as both."""

_OTHER_CATEGORIES: dict[tuple[str, int], tuple[str, ...]] = {
    (SECURITY, 4688): ("process_creation",),
    ("windows powershell", 400): ("ps_classic_start",),
    ("windows powershell", 600): ("ps_classic_provider_start",),
    ("windows powershell", 800): ("ps_classic_script",),
    ("microsoft-windows-powershell/operational", 4103): ("ps_module",),
    ("microsoft-windows-powershell/operational", 4104): ("ps_script",),
    ("powershellcore/operational", 4103): ("ps_module",),
    ("powershellcore/operational", 4104): ("ps_script",),
}

ACTIONS: dict[tuple[str, int], str] = {
    (PRINT, 307): "document-printed",
    (SECURITY, 1102): "audit-log-cleared",
    (SECURITY, 4624): "logged-in",
    (SECURITY, 4625): "logon-failed",
    (SECURITY, 4634): "logged-out",
    (SECURITY, 4647): "logged-out",
    (SECURITY, 4648): "logged-in-explicit",
    (SECURITY, 4656): "object-handle-requested",
    (SECURITY, 4657): "registry-value-modified",
    (SECURITY, 4658): "object-handle-closed",
    (SECURITY, 4659): "object-handle-requested-for-deletion",
    (SECURITY, 4660): "object-deleted",
    (SECURITY, 4663): "object-accessed",
    (SECURITY, 4664): "hard-link-created",
    (SECURITY, 4670): "permissions-changed",
    (SECURITY, 4672): "logged-in-special",
    (SECURITY, 4673): "privileged-service-called",
    (SECURITY, 4674): "privileged-operation",
    (SECURITY, 4688): "created-process",
    (SECURITY, 4689): "exited-process",
    (SECURITY, 4697): "service-installed",
    (SECURITY, 4698): "scheduled-task-created",
    (SECURITY, 4699): "scheduled-task-deleted",
    (SECURITY, 4700): "scheduled-task-enabled",
    (SECURITY, 4701): "scheduled-task-disabled",
    (SECURITY, 4702): "scheduled-task-updated",
    (SECURITY, 4719): "changed-audit-config",
    (SECURITY, 4720): "added-user-account",
    (SECURITY, 4722): "enabled-user-account",
    (SECURITY, 4723): "changed-password",
    (SECURITY, 4724): "reset-password",
    (SECURITY, 4725): "disabled-user-account",
    (SECURITY, 4726): "deleted-user-account",
    (SECURITY, 4738): "modified-user-account",
    (SECURITY, 4740): "locked-out-user-account",
    (SECURITY, 4768): "kerberos-authentication-ticket-requested",
    (SECURITY, 4769): "kerberos-service-ticket-requested",
    (SECURITY, 4771): "kerberos-preauth-failed",
    (SECURITY, 4776): "credential-validated",
    (SECURITY, 4778): "session-reconnected",
    (SECURITY, 4779): "session-disconnected",
    (SECURITY, 4817): "object-audit-changed",
    (SECURITY, 4907): "audit-setting-changed",
    (SECURITY, 5140): "network-share-object-accessed",
    (SECURITY, 5142): "network-share-object-added",
    (SECURITY, 5144): "network-share-object-deleted",
    (SECURITY, 5145): "network-share-object-access-checked",
    (SECURITY, 6416): "external-device-recognised",
    (SYSMON, 1): "created-process",
    (SYSMON, 2): "file-creation-time-changed",
    (SYSMON, 3): "network-connection",
    (SYSMON, 5): "exited-process",
    (SYSMON, 6): "driver-loaded",
    (SYSMON, 7): "image-loaded",
    (SYSMON, 8): "remote-thread-created",
    (SYSMON, 9): "raw-access-read",
    (SYSMON, 10): "process-accessed",
    (SYSMON, 11): "file-created",
    (SYSMON, 15): "file-stream-created",
    (SYSMON, 17): "pipe-created",
    (SYSMON, 18): "pipe-connected",
    (SYSMON, 22): "dns-query",
    (SYSMON, 23): "file-deleted",
    (SYSMON, 24): "clipboard-changed",
    (SYSMON, 26): "file-deleted",
    (SYSMON, 27): "executable-blocked",
    (SYSMON, 28): "shredding-blocked",
    (SYSMON, 29): "executable-created",
}


CATEGORIES: tuple[str | None, ...] = (
    None,
    *sorted(
        {
            name
            for some in (_SYSMON_CATEGORIES, _REGISTRY_TYPES, _OTHER_CATEGORIES)
            for names in some.values()
            for name in names
        }
    ),
)
SERVICES: tuple[str | None, ...] = (None, *sorted({name for names in _SERVICES.values() for name in names}))
"""All categories and services that an event can be of."""


def log_sources(channel: str, event_id: int, registry_type: str | None) -> tuple[LogSource, ...]:
    """Give every log source of an event: each of its categories with each of its services.

    `channel` is in lower case; `registry_type` is Sysmon's `EventType`, where the event has one.
    """
    categories = _OTHER_CATEGORIES.get((channel, event_id), ())
    if channel == SYSMON:
        categories = _SYSMON_CATEGORIES.get(event_id, ())
        if event_id == 12:
            categories = _REGISTRY_TYPES.get((registry_type or "").lower(), categories)
    return tuple(
        LogSource(category, "windows", service)
        for category in categories or (None,)
        for service in _SERVICES.get(channel) or (None,)
    )

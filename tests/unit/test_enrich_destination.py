from __future__ import annotations

from pathlib import Path

import pytest
from enrich_folder import DAY, NOON, enriched, enricher, event

from streams.event import Fields, LogSource


def mail(*to: str, **more: object) -> Fields:
    return {"outfall.channel": "email", "user.name": "jsmith", "email.to.address": [*to]} | more  # type: ignore[return-value]  # the values are scalars


def web(domain: str, method: str | None = "POST", size: int | None = 90_000, **more: object) -> Fields:
    fields = {"outfall.channel": "web", "user.name": "jsmith", "url.domain": domain}
    fields |= {"http.request.method": method, "http.request.bytes": size}  # type: ignore[dict-item]  # as above
    return {name: value for name, value in (fields | more).items() if value is not None}  # type: ignore[misc]  # as above


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("someone@borough.example", "internal"),
        ("someone@sub.borough.example.", "internal"),
        ("root@localhost", "internal"),
        ("someone@notborough.example", "unknown_external"),
        ("Jo.S.Home@Mail.Example", "self"),
        ("nurse@wards.trust.example", "partner"),
        ("referrals@post.example", "partner"),
        ("other@post.example", "unknown_external"),
        ("x@gmail.com", "webmail"),
        ("x@btinternet.com", "webmail"),
        ("x@mailinator.com", "webmail"),
        ("x@tutanota.com", "webmail"),
        ("x@vault.example", "cloud_storage"),
        ("x@files.office.example", "internal"),
        ("x@[203.0.113.80]", "unknown_external"),
        ("x@[IPv6:2001:db8::1]", "unknown_external"),
        ("x@[10.1.1.1]", "internal"),
        ("x@xn--bcher-kva.example", "unknown_external"),
    ],
)
def test_class_of_a_mail_address(tmp_path: Path, address: str, kind: str) -> None:
    found = enriched(enricher(tmp_path), mail(address))
    assert found["outfall.destination.class"] == kind
    assert found["outfall.destination.name"] == [address.lower()]
    assert found["outfall.egress"] is (kind != "internal")


def test_several_recipients_give_each_class_once_the_most_dangerous_first(tmp_path: Path) -> None:
    fields = mail("a@borough.example", "b@trust.example", "c@gmail.com", "d@outlook.com")
    fields["email.bcc.address"] = "jo.s.home@mail.example"
    found = enriched(enricher(tmp_path), fields)
    assert found["outfall.destination.class"] == ["self", "webmail", "partner", "internal"]
    assert found["outfall.destination.name"] == [
        "a@borough.example",
        "b@trust.example",
        "c@gmail.com",
        "d@outlook.com",
        "jo.s.home@mail.example",
    ]
    assert found["outfall.egress"] is True


@pytest.mark.parametrize(("days", "expired"), [(0, False), (8, False), (9, True)])
def test_a_partners_agreement_and_its_end(tmp_path: Path, days: int, expired: bool) -> None:
    found = enriched(enricher(tmp_path), mail("b@trust.example"), time=NOON + days * DAY)
    assert found["outfall.destination.agreement"] == "ISA-7"
    assert found["outfall.destination.agreement_limit"] == 50
    assert found["outfall.destination.agreement_expired"] is expired


def test_data_that_the_agreement_does_not_cover(tmp_path: Path) -> None:
    fields = mail("b@trust.example", **{"outfall.data.category": ["care", "financial"]})
    found = enriched(enricher(tmp_path), fields)
    assert found["outfall.destination.agreement_uncovered"] == ["financial"]
    fields = mail("b@police.example", **{"outfall.data.category": ["care", "financial"]})
    assert "outfall.destination.agreement_uncovered" not in enriched(enricher(tmp_path), fields)


@pytest.mark.parametrize(
    ("address", "resembles"),
    [
        ("jane.smith80@gmail.com", True),
        ("jsmith_1980@gmail.com", True),
        ("asmith@gmail.com", False),
        ("jo@gmail.com", False),
        ("jane.smith@borough.example", False),
    ],
)
def test_a_mailbox_named_like_the_actor_is_marked(tmp_path: Path, address: str, resembles: bool) -> None:
    found = enriched(enricher(tmp_path), mail(address))
    assert found.get("outfall.destination.resembles_actor", False) is resembles


@pytest.mark.parametrize(
    ("domain", "kind", "name"),
    [
        ("app.borough.example", "internal", "borough.example"),
        ("intranet", "internal", "intranet"),
        ("3405803777", "unknown_external", "3405803777"),
        ("10.9.8.7", "internal", "10.9.8.7"),
        ("192.168.1.1", "unknown_external", "192.168.1.1"),
        ("203.0.113.9", "self", "203.0.113.9"),
        ("smiths-pc.dyn.example", "self", "smiths-pc.dyn.example"),
        ("portal.trust.example", "partner", "trust.example"),
        ("198.51.100.20", "partner", "198.51.100.20"),
        ("www.dropbox.com", "cloud_storage", "dropbox.com"),
        ("wetransfer.com", "cloud_storage", "wetransfer.com"),
        ("drive.google.com", "cloud_storage", "google.com"),
        ("onedrive.live.com", "cloud_storage", "live.com"),
        ("mail.google.com", "webmail", "google.com"),
        ("outlook.live.com", "webmail", "live.com"),
        ("pastebin.com", "paste", "pastebin.com"),
        ("transfer.sh", "paste", "transfer.sh"),
        ("a1b2.ngrok-free.app", "unknown_external", "a1b2.ngrok-free.app"),
        ("shop.something.co.uk", "unknown_external", "something.co.uk"),
        ("2001:db8::5", "unknown_external", "2001:db8::5"),
    ],
)
def test_class_of_a_web_site(tmp_path: Path, domain: str, kind: str, name: str) -> None:
    found = enriched(enricher(tmp_path), web(domain))
    assert found["outfall.destination.class"] == kind
    assert found["outfall.destination.name"] == [name]
    assert found["outfall.egress"] is (kind != "internal")


@pytest.mark.parametrize(
    ("method", "size", "carries", "egress"),
    [
        ("POST", 4096, None, True),
        ("POST", 4095, None, False),
        ("PUT", 10_000, None, True),
        ("PATCH", 10_000, None, True),
        ("POST", 10, "sha256:00", True),
        ("POST", None, None, True),
        ("CONNECT", 65_536, None, True),
        ("CONNECT", 65_535, None, False),
        ("CONNECT", None, None, False),
        ("GET", 10_000_000, "sha256:00", False),
        ("GET", None, None, False),
        (None, None, "sha256:00", True),
        (None, 10_000, None, False),
    ],
)
def test_what_counts_as_an_upload(
    tmp_path: Path, method: str | None, size: int | None, carries: str | None, egress: bool
) -> None:
    fields = web("example.org", method, size, **{"outfall.content.carries": carries})
    [known] = enricher(tmp_path).enrich(event(fields), None)
    assert known.fields["outfall.egress"] is egress
    assert (LogSource("egress", "outfall") in known.logsources) is egress
    assert LogSource("web", "outfall") in known.logsources
    assert ("upload_size_unknown" in known.marks) is (egress and size is None)


@pytest.mark.parametrize(
    ("fields", "kind", "names"),
    [
        ({"outfall.channel": "share", "email.to.address": "x@gmail.com"}, "webmail", ["x@gmail.com"]),
        (
            {"outfall.channel": "share", "email.to.address": "x@borough.example"},
            "internal",
            ["x@borough.example"],
        ),
        (
            {"outfall.channel": "share", "outfall.share.anyone": True},
            "unknown_external",
            ["anyone_with_link"],
        ),
        (
            {"outfall.channel": "share", "google_workspace.drive.visibility": "people_with_link"},
            "unknown_external",
            ["anyone_with_link"],
        ),
        ({"outfall.channel": "share", "google_workspace.drive.visibility": "private"}, None, None),
        ({"outfall.channel": "share", "event.action": "SharedLinkCreated"}, None, None),
        ({"outfall.channel": "mail_rule", "email.to.address": "x@gmail.com"}, "webmail", ["x@gmail.com"]),
        (
            {"outfall.channel": "removable", "event.type": ["change"], "file.path": "e:\\a.xlsx"},
            "removable",
            ["E:"],
        ),
        ({"outfall.channel": "removable", "outfall.content.carries": "sha256:00"}, "removable", None),
        ({"outfall.channel": "removable", "event.type": ["access"]}, None, None),
        ({"outfall.channel": "removable", "event.type": "deletion"}, None, None),
        ({"outfall.channel": "print", "winlog.event_data.Param5": "PRN-2"}, "print", ["PRN-2"]),
        ({"outfall.channel": "file", "file.path": "c:\\a.xlsx"}, None, None),
        ({"outfall.channel": "email"}, None, None),
    ],
)
def test_other_channels(tmp_path: Path, fields: Fields, kind: str | None, names: list[str] | None) -> None:
    found = enriched(enricher(tmp_path), fields)
    assert found.get("outfall.destination.class") == kind
    assert found.get("outfall.destination.name") == names
    assert found.get("outfall.egress") is (None if kind is None else kind != "internal")


def test_a_blocked_attempt_is_egress_too(tmp_path: Path) -> None:
    found = enriched(enricher(tmp_path), mail("x@gmail.com", **{"outfall.verdict": "blocked"}))
    assert found["outfall.egress"] is True


def test_without_a_table_mail_that_the_source_calls_inbound_is_internal(tmp_path: Path) -> None:
    bare = enricher(tmp_path, {})
    assert enriched(bare, mail("x@borough.example"))["outfall.egress"] is True
    assert (
        enriched(bare, mail("x@borough.example", **{"email.direction": "inbound"}))["outfall.egress"] is False
    )
    assert enriched(bare, web("192.168.1.1"))["outfall.egress"] is False


def test_what_a_document_already_says_is_kept(tmp_path: Path) -> None:
    fields = web("example.org", "GET", 10, **{"outfall.egress": True, "outfall.actor.id": "someone"})
    found = enriched(enricher(tmp_path), fields)
    assert found["outfall.egress"] is True
    assert found["outfall.actor.id"] == "someone"
    assert found["outfall.destination.class"] == "unknown_external"

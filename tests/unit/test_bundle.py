"""Rule bundles: the same rules give the same bytes, and nothing that was changed is loaded."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from typer.testing import CliRunner

from streams.cli import app, exits
from streams.errors import ConfigError
from streams.normalise import FORMATS
from streams.runtime import bundle
from streams.runtime.build import load_parts
from streams.settings import load

RULE = """\
title: An export
name: an_export
logsource: {category: file, product: outfall}
detection: {export: {event.action: export}, condition: export}
"""
KEY, OTHER = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
Members = dict[str, bytes]


def private_pem(key: Any) -> bytes:
    return bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def public_pem(key: Any) -> bytes:
    return bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))


FILES = {"rules/0/a.yml": RULE.encode(), "rules/1/b/c.yml": b"title: b\n"}
PACKED = bundle.pack(FILES, "hash", "abc123", "0.1.0", KEY)


def members(data: bytes) -> Members:
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as archive:
        return {one.name: archive.extractfile(one).read() for one in archive}  # type: ignore[union-attr]  # all are files


def archive(content: Members, *more: tarfile.TarInfo) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as tar:
        for name, data in content.items():
            one = tarfile.TarInfo(name)
            one.size = len(data)
            tar.addfile(one, io.BytesIO(data))
        for one in more:
            tar.addfile(one)
    return made.getvalue()


def test_what_goes_in_comes_out_and_is_the_same_each_time() -> None:
    found = bundle.unpack(PACKED, "x", KEY.public_key())
    assert found.files == FILES
    assert (found.rule_book, found.revision, found.made_by, found.signed) == ("hash", "abc123", "0.1.0", True)
    assert found.id == hashlib.sha256(members(PACKED)["manifest.json"]).hexdigest()
    again = bundle.pack(dict(reversed(FILES.items())), "hash", "abc123", "0.1.0", KEY)
    assert again == PACKED
    assert bundle.unpack(bundle.pack(FILES, "hash", None, "0.1.0", None), "x", None).signed is False


def changed(name: str, data: bytes) -> Callable[[Members], Members]:
    return lambda content: content | {name: data}


def without(name: str) -> Callable[[Members], Members]:
    return lambda content: {key: data for key, data in content.items() if key != name}


def manifest(**update: Any) -> Callable[[Members], Members]:
    def change(content: Members) -> Members:
        text = json.dumps(json.loads(content["manifest.json"]) | update).encode()
        return content | {"manifest.json": text, "signature": base64.b64encode(KEY.sign(text))}

    return change


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (changed("rules/0/a.yml", b"title: another\n"), "rules/0/a.yml is not as the manifest says"),
        (changed("rules/0/new.yml", b"title: new\n"), "rules/0/new.yml is not as the manifest says"),
        (without("rules/0/a.yml"), "rules/0/a.yml is not as the manifest says"),
        (without("manifest.json"), "there is no manifest.json in it"),
        (without("signature"), "it is not signed"),
        (changed("signature", b"%%%"), "not signed by this key, or was changed"),
        (changed("signature", base64.b64encode(bytes(64))), "not signed by this key, or was changed"),
        (changed("manifest.json", b"{}"), "not signed by this key, or was changed"),
        (manifest(format="outfall rule bundle 9"), "this version of outfall reads 'outfall rule bundle 1'"),
        (manifest(files=[]), "its manifest is none of a rule bundle"),
        (changed("rules/0/../../../etc/x.yml", b""), "has no place in a rule bundle"),
        (changed("/etc/x.yml", b""), "has no place in a rule bundle"),
        (changed("rules/0//x.yml", b""), "has no place in a rule bundle"),
        (changed("rules/0/x.py", b""), "has no place in a rule bundle"),
        (changed("other.yml", b""), "has no place in a rule bundle"),
    ],
)
def test_what_was_changed_is_not_taken(change: Callable[[Members], Members], reason: str) -> None:
    with pytest.raises(ConfigError, match="x: ") as raised:
        bundle.unpack(archive(change(members(PACKED))), "x", KEY.public_key())
    assert reason in str(raised.value)


def test_another_key_did_not_sign_it() -> None:
    with pytest.raises(ConfigError, match="not signed by this key"):
        bundle.unpack(PACKED, "x", OTHER.public_key())


@pytest.mark.parametrize("data", [b"", b"no archive", gzip.compress(b"no tar" * 200), PACKED[:-20]])
def test_what_is_no_archive_is_said_to_be_none(data: bytes) -> None:
    with pytest.raises(ConfigError, match="x: it is no rule bundle"):
        bundle.unpack(data, "x", None)


def test_links_and_names_that_come_twice_have_no_place() -> None:
    link = tarfile.TarInfo("rules/0/link.yml")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    twice = tarfile.TarInfo("rules/0/a.yml")
    for more in (link, twice):
        with pytest.raises(ConfigError, match="has no place in a rule bundle"):
            bundle.unpack(archive(members(PACKED), more), "x", None)


def test_an_archive_that_would_fill_the_memory_is_refused_before_it_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bundle, "MOST_BYTES", 100_000)
    for content in ({"rules/0/a.yml": bytes(100_001)}, {f"rules/0/{n}.yml": bytes(30_000) for n in range(4)}):
        with pytest.raises(ConfigError, match="more than a rule bundle may"):
            bundle.unpack(archive(content), "x", None)
    header = tarfile.TarInfo("rules/0/a.yml")
    header.type, header.size = (
        tarfile.XHDTYPE,
        10_000_000,
    )  # is read whole, before there is a member to look at
    with pytest.raises(ConfigError, match="holds too much"):
        bundle.unpack(gzip.compress(header.tobuf(tarfile.USTAR_FORMAT) + bytes(10_000_000)), "x", None)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("private", b"nothing"),
        ("private", private_pem(generate_private_key(SECP256R1()))),
        ("public", b"nothing"),
        ("public", public_pem(generate_private_key(SECP256R1()))),
        ("public", private_pem(KEY)),
    ],
)
def test_a_key_of_another_kind_is_refused(name: str, data: bytes, tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_bytes(data)
    read = bundle.signing_key if name == "private" else bundle.public_key
    with pytest.raises(ConfigError, match=r"key\.pem: it is no"):
        read(tmp_path / "key.pem")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A rule book, keys, and a log's settings."""
    monkeypatch.setenv("OUTFALL_PSEUDONYM_KEY", f"test:{'A' * 43}=")
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "an_export.yml").write_text(RULE, encoding="utf-8")
    (tmp_path / "book" / "an_export.test.yml").write_text("cases: []\n", encoding="utf-8")
    (tmp_path / "signing.pem").write_bytes(private_pem(KEY))
    (tmp_path / "signing.pub").write_bytes(public_pem(KEY))
    (tmp_path / "other.pub").write_bytes(public_pem(OTHER))
    (tmp_path / "log").write_text(
        '{"@timestamp": "2026-03-02T09:00:00Z", "event.action": "export", "outfall.channel": "file"}\n',
        encoding="utf-8",
    )
    return tmp_path


def outfall(*arguments: object) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, [*map(str, arguments)])
    return done.exit_code, done.stdout, done.stderr


def settings(folder: Path, *lines: str) -> Path:
    source = '[[sources]]\nname = "a"\nkind = "file"\npath = "log"\nformat = "ecs"\n'
    (folder / "outfall.toml").write_text("\n".join([*lines, source]), encoding="utf-8")
    return folder / "outfall.toml"


def made(folder: Path, *options: object) -> dict[str, Any]:
    code, out, said = outfall("rules", "bundle", folder / "book", "--out", folder / "b.tar.gz", *options)
    assert code == exits.DONE, said
    return dict(json.loads(out))


def test_every_alert_names_the_bundle_that_its_rule_came_from(folder: Path) -> None:
    told = made(folder, "--key", folder / "signing.pem")
    config = settings(folder, 'rules = ["b.tar.gz"]', 'rules_key = "signing.pub"')
    code, _, said = outfall("run", "--once", "--config", config)
    assert code == exits.DONE, said
    _, out, _ = outfall("alerts", "export", "--config", config)
    rule = json.loads(out)["rule"]
    assert (rule["bundle"], rule["version"]) == (told["bundle"], told["rule_book"])
    assert rule["name"] == "an_export"


def test_only_what_the_key_has_signed_is_loaded(folder: Path) -> None:
    made(folder, "--key", folder / "signing.pem")
    cases = {
        ('rules = ["b.tar.gz"]', 'rules_key = "other.pub"'): "not signed by this key",
        ('rules = ["book"]', 'rules_key = "signing.pub"'): "they must be one bundle",
        ('rules = ["b.tar.gz", "book"]',): "is a bundle, which stands alone",
        ('rules = ["b.tar.gz"]', 'rules_key = "signing.pem"'): "it is no public key",
    }
    for lines, reason in cases.items():
        with pytest.raises(ConfigError, match=reason):
            load_parts(load(settings(folder, *lines), formats=FORMATS))
    made(folder)
    unsigned = settings(folder, 'rules = ["b.tar.gz"]', 'rules_key = "signing.pub"')
    with pytest.raises(ConfigError, match="it is not signed"):
        load_parts(load(unsigned, formats=FORMATS))
    parts = load_parts(load(settings(folder, 'rules = ["b.tar.gz"]'), formats=FORMATS))
    assert [rule.name for rule in parts.book.rules] == ["an_export"]


def test_a_bundle_can_be_looked_into(folder: Path) -> None:
    told = made(folder, "--key", folder / "signing.pem")
    code, out, _ = outfall("rules", "verify", folder / "b.tar.gz", "--key", folder / "signing.pub")
    assert code == exits.DONE
    assert json.loads(out) == {key: value for key, value in told.items() if key != "rules"} | {
        "verified": True
    }
    assert told["files"] == 1, "tests stay behind"
    code, _, said = outfall("rules", "verify", folder / "b.tar.gz", "--key", folder / "other.pub")
    assert (code, "not signed by this key" in said) == (exits.FINDINGS, True)
    assert outfall("rules", "verify", folder / "nothing.tar.gz")[0] == exits.USAGE


def test_rules_that_do_not_run_make_no_bundle(folder: Path) -> None:
    (folder / "book" / "wrong.yml").write_text("title: Wrong\n", encoding="utf-8")
    code, _, said = outfall("rules", "bundle", folder / "book", "--out", folder / "b.tar.gz")
    assert code == exits.FINDINGS
    assert "wrong.yml" in said
    assert not (folder / "b.tar.gz").exists()
    code, _, said = outfall("rules", "bundle", folder / "book", "--out", folder / "b.zip")
    assert (code, "name ends .tar.gz" in said) == (exits.USAGE, True)

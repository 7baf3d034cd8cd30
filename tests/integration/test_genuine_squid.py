"""A real squid: someone uploads a file through it, and outfall reads its log as it is written."""

from __future__ import annotations

import http.client
import urllib.request
from base64 import b64encode
from pathlib import Path

import pytest

from services.outfall import normalise, outfall_run
from services.outside import Web, web_server
from services.process import wait_for
from services.squid import Squid, squid

pytestmark = pytest.mark.services

UPLOAD_HOST = "upload.dropbox.com"
EXTENDED = "logformat squid_extended %ts.%03tu %6tr %>a %Ss/%03>Hs %<st %rm %ru %[un %Sh/%<a %mt %>st"
FORMATS = [pytest.param("squid_extended", EXTENDED, id="extended"), pytest.param("squid", "", id="native")]
SIZE = 200_000  # bytes of the file that is uploaded
HEADERS = 2_000  # bytes that a request's line and headers stay below

RULE = """
title: Upload to cloud storage
id: 3f0f4f4e-6a4b-4f0e-9a55-1a7f3f6c2b10
status: test
logsource:
    product: outfall
    category: egress
detection:
    upload:
        outfall.channel: web
        outfall.destination.class: cloud_storage
    condition: upload
level: high
"""


def put(proxy: Squid, web: Web, person: str) -> None:
    """Upload a file as a browser does without encryption: the proxy sees the request."""
    address = f"http://{UPLOAD_HOST}:{web.port}/files/export.zip"
    request = urllib.request.Request(address, data=b"x" * SIZE, method="PUT")
    handler = urllib.request.ProxyHandler({"http": proxy.address(person)})
    with urllib.request.build_opener(handler).open(request, timeout=20) as answer:
        assert answer.status == 201


def put_in_tunnel(proxy: Squid, web: Web, person: str) -> None:
    """Upload a file as a browser does with encryption: the proxy sees a tunnel and its size."""
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=20)
    credentials = b64encode(f"{person}:secret".encode()).decode()
    connection.set_tunnel(UPLOAD_HOST, web.port, {"Proxy-Authorization": f"Basic {credentials}"})
    connection.request("PUT", "/files/export.zip", body=b"y" * SIZE)
    assert connection.getresponse().status == 201
    connection.close()


def entries(proxy: Squid, count: int) -> bytes:
    """Give the log once it has so many entries of people."""
    return wait_for(
        f"{count} entries in squid's log",
        lambda: log if (log := proxy.log.read_bytes()).count(b"dropbox") >= count else b"",
    )


@pytest.mark.parametrize(("format_", "logformat"), FORMATS)
def test_every_line_is_understood(format_: str, logformat: str) -> None:
    with web_server() as web, squid({UPLOAD_HOST: "127.0.0.1"}, logformat) as proxy:
        put(proxy, web, "jsmith")
        put_in_tunnel(proxy, web, r"BOROUGH\jsmith")
        log = entries(proxy, 2)
    events, status = normalise(format_, log)
    assert status == 0, log
    assert None not in events
    sent = [event for event in events if event and event.get("url", {}).get("domain") == UPLOAD_HOST]
    methods = [event["http"]["request"]["method"] for event in sent]
    assert methods == ["PUT", "CONNECT"], log
    assert [event["user"]["name"] for event in sent] == ["jsmith", "jsmith"], log
    if logformat:
        assert all(SIZE < event["outfall"]["bytes"] < SIZE + HEADERS for event in sent), log
    else:
        assert not any("bytes" in event["outfall"] for event in sent), log


@pytest.mark.parametrize(("format_", "logformat"), FORMATS)
def test_an_upload_raises_an_alert(tmp_path: Path, format_: str, logformat: str) -> None:
    with (
        web_server() as web,
        squid({UPLOAD_HOST: "127.0.0.1"}, logformat) as proxy,
        outfall_run(tmp_path, log=proxy.log, format_=format_, rule=RULE) as outfall,
    ):
        put(proxy, web, "jsmith")
        alert = outfall.alert("an upload", lambda alert: len(alert["evidence"]) == 1)
        assert web.uploads == [SIZE]
        assert alert["actor"]["id"] == "E1001"
        assert alert["destinations"] == ["dropbox.com"]
        assert alert["destination_classes"] == ["cloud_storage"]
        assert alert["channels"] == ["web"]
        sent = alert["exposure"]["bytes"]
        assert SIZE < sent < SIZE + HEADERS if logformat else sent == 0

        proxy.rotate()
        if logformat:
            put_in_tunnel(proxy, web, r"BOROUGH\jsmith")
        else:
            put(proxy, web, "jsmith")
        again = outfall.alert("both uploads", lambda alert: len(alert["evidence"]) == 2)
        assert again["id"] == alert["id"]
        assert 2 * SIZE < again["exposure"]["bytes"] < 2 * (SIZE + HEADERS) if logformat else sent == 0

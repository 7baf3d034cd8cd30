"""The settings of those who deliver alerts: `outfall index` and `outfall page`."""

from __future__ import annotations

from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from streams.setting_types import Duration, ExistingPath, Part

LISTEN = r"^(.+:[0-9]{1,5})?$"
_LISTEN_MEANS = "Where `/metrics`, `/healthz` and `/readyz` are served, HOST:PORT; empty for nowhere."


def _address(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("write http://HOST:PORT or https://HOST:PORT")
    if parts.username or parts.password:
        raise ValueError("a password does not belong into an address: name its file by password_file")
    return text.rstrip("/")


Address = Annotated[str, AfterValidator(_address)]


class Elasticsearch(Part):
    """Where `outfall index` writes alerts, and how it is known there. Secrets stand in files."""

    hosts: list[Address] = Field(
        default=["http://127.0.0.1:9200"], min_length=1, description="Nodes of the cluster, as URLs."
    )
    prefix: str = Field(
        default="outfall",
        pattern=r"^[a-z0-9][a-z0-9._]{0,50}$",
        description="What the names of indices and templates begin with; a hyphen follows.",
    )
    ca: ExistingPath | None = Field(
        default=None, description="The certificates (PEM) that vouch for the nodes; else the system's."
    )
    api_key_file: ExistingPath | None = Field(
        default=None, description="The file whose first line is an API key, as Elasticsearch encodes it."
    )
    username: str | None = Field(
        default=None, min_length=1, description="The user, where there is no API key."
    )
    password_file: ExistingPath | None = Field(
        default=None, description="The file whose first line is the user's password."
    )
    batch: int = Field(default=500, ge=1, le=10_000, description="Documents of one request.")
    requests: int = Field(default=4, ge=1, le=32, description="Requests at once.")
    listen: str = Field(default="127.0.0.1:9465", pattern=LISTEN, description=_LISTEN_MEANS)
    events_listen: str = Field(
        default="127.0.0.1:9467", pattern=LISTEN, description="The same for `outfall index --events`."
    )
    kibana: Address | None = Field(
        default=None,
        description="Kibana's address, for people: with `kafka.events`, alerts link to their events.",
    )

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.username is None) != (self.password_file is None):
            raise ValueError("username and password_file belong together")
        if self.api_key_file and self.username:
            raise ValueError("either api_key_file, or username and password_file")
        return self


class Paging(Part):
    """Where `outfall page` sends what on-call is to know."""

    alertmanagers: list[Address] = Field(
        default=["http://127.0.0.1:9093"],
        min_length=1,
        description="All Alertmanagers of a cluster, as URLs: each is told everything.",
    )
    ca: ExistingPath | None = Field(
        default=None, description="The certificates (PEM) that vouch for them; else the system's."
    )
    repeat: Duration = Field(  # type: ignore[assignment]  # the default is validated too
        default="30s",
        description="How often open pages are sent again: Alertmanager forgets them when killed.",
    )
    expires: Duration = Field(  # type: ignore[assignment]  # the default is validated too
        default="1h",
        description="After so long without `outfall page` Alertmanager takes a page for resolved.",
    )
    least: Duration = Field(  # type: ignore[assignment]  # the default is validated too
        default="2m",
        description="A page stays open at least so long, longer than Alertmanager's `group_wait`, which else"
        " tells nobody of one that was over soon.",
    )
    alert_url: str | None = Field(
        default=None,
        description="The link of a page; `{id}` becomes the alert's id. For instance a Kibana dashboard's.",
    )
    listen: str = Field(default="127.0.0.1:9466", pattern=LISTEN, description=_LISTEN_MEANS)


class Notify(Part):
    """Whom `outfall notify` tells on one machine. Secrets stand in files."""

    pagerduty_key_file: ExistingPath | None = Field(
        default=None,
        description="The file whose first line is the integration key of a PagerDuty service.",
    )
    pagerduty_url: Address = Field(
        default="https://events.pagerduty.com",
        description="Where PagerDuty takes events; `https://events.eu.pagerduty.com` in Europe.",
    )
    apprise_file: ExistingPath | None = Field(
        default=None,
        description="A file with an address of apprise in each line, for chat and mail: `slack://…`,"
        " `mailto://…`, `msteams://…`.",
    )

"""What a rule says about itself (Sigma 2.1, "Components"): identity, log source, our `outfall:` extras."""

from __future__ import annotations

import re
from typing import Any

from pydantic import ValidationError
from sigma.exceptions import SigmaError
from sigma.rule import SigmaLogSource, SigmaRule

from streams.detect.document import Document
from streams.detect.lists import mandate_of
from streams.event import LogSource
from streams.rule import Extras, Rule

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_TAXONOMIES = {"sigma", "ecs"}
_VERSION = re.compile(r"2(\.[01](\.\d+)?)?")


def rule_of(document: Document, stem: str) -> Rule:
    """Read a rule's metadata. A rule without `id` and `name` is called `<file's stem>:<document's index>`.

    Raises:
        RefusedError: they are not as Sigma has them.
    """
    content = document.content
    own_id = content.get("id")
    if own_id is not None and (not isinstance(own_id, str) or not own_id):
        raise document.refuse("an id must be text, best a UUID", "id")
    # pySigma takes only UUIDs for ids; the specification recommends them ("Identification")
    parameters, errors = SigmaRule.from_dict_common_params(
        {key: value for key, value in content.items() if key != "id"}, collect_errors=True
    )
    if errors:
        raise document.refuse(str(errors[0]), _key_of(errors[0], content))
    level, name = parameters["level"], parameters["name"]
    is_filter = "filter" in content
    stated = content.get("outfall") if is_filter else None
    mandate = None if stated is None else mandate_of(stated, document, "outfall")
    return Rule(
        id=own_id or name or f"{stem}:{document.index}",
        name=name,
        title=parameters["title"],
        place=document.at(),
        alerts=True,
        level="medium" if level is None else level.name.lower(),
        description=_text(document, "description"),
        tags=tuple(str(tag) for tag in parameters["tags"]),
        references=_texts(content.get("references")),
        falsepositives=_texts(content.get("falsepositives")),
        logsource=None if "correlation" in content else logsource_of(document),
        extras=Extras() if is_filter else _extras(document),
        mandate=mandate,
    )


def logsource_of(document: Document) -> LogSource:
    """Read the `logsource` section.

    Raises:
        RefusedError: missing, empty or malformed.
    """
    section = document.content.get("logsource")
    if not isinstance(section, dict):
        raise document.refuse("a rule must have a `logsource` section", "logsource")
    for part in ("category", "product", "service"):
        if not (section.get(part) is None or (isinstance(section[part], str) and section[part])):
            raise document.refuse(f"the log source's {part} must be text", "logsource", part)
    try:
        source = SigmaLogSource.from_dict(section)
    except SigmaError as error:
        raise document.refuse(str(error), "logsource") from None
    return LogSource(source.category, source.product, source.service)


def identity_key(identity: str) -> str:
    """Give what two ids or names that mean the same have in common: UUIDs ignore case."""
    return identity.lower() if _UUID.fullmatch(identity) else identity


def check_version(document: Document) -> None:
    """Refuse what is of another version of Sigma, or another taxonomy.

    Raises:
        RefusedError: it is.
    """
    content = document.content
    version = str(content.get("sigma-version", "2.1"))
    if not _VERSION.fullmatch(version):
        reason = f"the rule says `sigma-version: {version}`, and this is Sigma 2.1"
        raise document.refuse(reason, "sigma-version")
    taxonomy = content.get("taxonomy", "sigma")
    if taxonomy not in _TAXONOMIES:
        raise document.refuse(f"the taxonomy `{taxonomy}` is unknown here", "taxonomy")


def _extras(document: Document) -> Extras:
    try:
        return Extras.model_validate(document.content.get("outfall") or {})
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False)
        text = "; ".join(f"outfall.{'.'.join(map(str, p['loc']))}: {p['msg']}" for p in problems)
        raise document.refuse(text, "outfall", *problems[0]["loc"]) from None


def _key_of(error: SigmaError, content: dict[str, Any]) -> str:
    """Guess which key an error of pySigma is about: the first that its text names."""
    words = re.findall(r"\w+", str(error).lower())
    return next((key for word in words for key in (word, f"{word}s") if key in content), "title")


def _text(document: Document, key: str) -> str | None:
    value = document.content.get(key)
    return None if value is None else str(value)


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(str(item) for item in value) if isinstance(value, list) else ()

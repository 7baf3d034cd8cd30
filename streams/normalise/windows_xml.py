"""An event's own XML, read into the JSON form that evtx_dump gives it: attributes under `#attributes`."""

from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from streams.errors import RecordError

MAX_XML_DEPTH = 32


def event_xml(document: str) -> dict[str, Any]:
    """Read the XML of one event and give what stands in its root.

    Raises:
        RecordError: no XML, a document type or entities in it, nested too deep, or another root than `Event`.
    """
    try:
        root = fromstring(document, forbid_dtd=True)
    except ParseError as error:
        raise RecordError(f"not XML: column {error.position[1]} of line {error.position[0]}") from None
    except DefusedXmlException:
        raise RecordError("XML with a document type or entities is refused") from None
    if _tag(root) != "Event":
        raise RecordError("the XML's root is not Event")
    node = _node(root, 0)
    return node if isinstance(node, dict) else {}


def _tag(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _node(element: Element, depth: int) -> Any:
    """Give an element as evtx_dump's JSON has it."""
    if depth > MAX_XML_DEPTH:
        raise RecordError(f"XML nested deeper than {MAX_XML_DEPTH} elements")
    if not len(element) and not element.attrib:
        return element.text or ""
    node: dict[str, Any] = {"#attributes": dict(element.attrib)} if element.attrib else {}
    if not len(element):
        node["#text"] = element.text or ""
    grouped: dict[str, list[Any]] = {}
    for inner in element:
        grouped.setdefault(_tag(inner), []).append(_node(inner, depth + 1))
    return node | {tag: values[0] if len(values) == 1 else values for tag, values in grouped.items()}

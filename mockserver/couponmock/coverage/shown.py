"""A report of coverage for people and for programs: text, Markdown, JUnit's XML."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from typing import Any

from couponmock.coverage.report import Report

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML cannot hold."""
_NOT_COUNTED = "not counted"


def summary(report: Report) -> str:
    """Say the figures in one line."""
    where = "all namespaces" if report["namespace"] == "*" else f"namespace {report['namespace']}"
    total = report["total"]
    return f"{_share(total)} documented answers seen in {where}{_forced(total)}; errors {_share(total['errors'])}"


def text(report: Report) -> str:
    """Say what a terminal shows."""
    lines = [summary(report)]
    for vendor, operation in _operations(report):
        examples = operation["examples"]
        lines += ["", f"{vendor} {_title(operation)}: {_share(operation)}{_forced(operation)}"]
        if operation["counted"]:
            lines += [f"  not seen     {_answer(one)}" for one in examples if not one["seen"]]
        lines += [f"  only forced  {_answer(one)}" for one in examples if one["forced"]]
    hint = "How to get them: couponmock coverage --format markdown, or couponmock fixtures for all."
    return "\n".join([*lines, *(["", hint] if report["total"]["percent"] < 100 else []), ""])


def markdown(report: Report) -> str:
    """Write what the summary of a CI job shows."""
    lines = [
        f"## Coverage of the documented answers: {report['total']['percent']} %",
        "",
        f"{summary(report)}.",
        "",
        "| Vendor | Operation | Seen | Documented | Only forced | % |",
        "| --- | --- | ---: | ---: | ---: | ---: |",
    ]
    for vendor, operation in _operations(report):
        figures = " | ".join(str(operation[name]) for name in ("seen", "documented", "forced", "percent"))
        lines.append(f"| {vendor} | {_title(operation)} | {figures} |")
    missing = [
        (vendor, operation)
        for vendor, operation in _operations(report)
        if operation["counted"] and operation["seen"] < operation["documented"]
    ]
    if missing:
        lines += ["", "### Not seen", ""]
        lines += ["Each with a request that gets it in a fresh world; `couponmock fixtures` has all of them."]
    for vendor, operation in missing:
        lines += ["", "<details>", f"<summary>{vendor} {operation['operation']}</summary>", "", "```sh"]
        for example in operation["examples"]:
            if not example["seen"]:
                reach = example["reach"] or {"handle": "-", "curl": f"# Prefer: example={example['example']}"}
                handle = "" if reach["handle"] == "-" else f", handle {reach['handle']}"
                lines += [f"# {_answer(example)}{handle}", reach["curl"]]
        lines += ["```", "", "</details>"]
    return "\n".join([*lines, ""])


def junit(report: Report) -> str:
    """Write a test case for each documented answer: passed if it was seen, else failed, or skipped if it counts not."""
    root = ET.Element("testsuites", name="couponmock coverage")
    for vendor, operation in _operations(report):
        name = _xml(f"{vendor}.{operation['operation']}")
        suite = ET.SubElement(root, "testsuite", name=name)
        for example in operation["examples"]:
            case = ET.SubElement(
                suite, "testcase", classname=name, name=_xml(f"{example['status']} {example['example']}"), time="0"
            )
            if example["forced"]:
                ET.SubElement(case, "system-out").text = "Seen only where the client asked for it with Prefer."
            elif not example["seen"] and operation["counted"]:
                message = _xml(f"No client was answered {_answer(example)}")
                failure = ET.SubElement(case, "failure", message=message, type="unseen")
                failure.text = _xml(example["reach"]["curl"]) if example["reach"] else None
            elif not example["seen"]:
                ET.SubElement(case, "skipped", message=_NOT_COUNTED)
        _count(suite, {"tests": "testcase", "failures": "failure", "errors": "error", "skipped": "skipped"})
    _count(root, {"tests": "testcase", "failures": "failure", "errors": "error"})
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _count(element: ET.Element, kinds: Mapping[str, str]) -> None:
    """Say how many of each kind an element holds."""
    for name, tag in kinds.items():
        element.set(name, str(sum(1 for _ in element.iter(tag))))
    element.set("time", "0")


def _operations(report: Report) -> Iterator[tuple[str, Report]]:
    """Yield vendor and operation."""
    for vendor in report["vendors"]:
        for operation in vendor["operations"]:
            yield vendor["vendor"], operation


def _title(operation: Report) -> str:
    return f"{operation['operation']}{'' if operation['counted'] else f' ({_NOT_COUNTED})'}"


def _answer(example: Report) -> str:
    code: Any = example["code"]
    error = f", code {code}" if code not in {None, example["status"], example["example"]} else ""
    return f"{example['status']} {example['example']} ({example['basis']}{error})"


def _share(figures: Report) -> str:
    return f"{figures['seen']} of {figures['documented']} ({figures['percent']} %)"


def _forced(figures: Report) -> str:
    return f", {figures['forced']} only forced" if figures["forced"] else ""


def _xml(value: str) -> str:
    return _NO_XML.sub("?", value)

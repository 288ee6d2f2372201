"""YAML that remembers its lines, and takes nothing that JSON could not say."""

from pathlib import Path
from typing import Any

import pytest
from couponspec.faults import Fault, FaultyFile
from couponspec.yamlfile import YamlFile, escape, load


def written(folder: Path, text: str) -> Path:
    path = folder / "file.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def read(folder: Path, text: str) -> Any:
    return load(written(folder, text)).value


def faults_of(folder: Path, text: str) -> tuple[Fault, ...]:
    with pytest.raises(FaultyFile) as caught:
        load(written(folder, text))
    return caught.value.faults


@pytest.mark.parametrize("text", ["on", "yes", "No", "2021-05-25", "12:30", "0x1F", "010", "1_000", ".inf", "1.", "="])
def test_what_only_older_yaml_reads_as_something_else_stays_text(text: str, tmp_path: Path) -> None:
    """A coupon code, a date or a time is never a surprise."""
    assert read(tmp_path, f"value: {text}\n") == {"value": text}


@pytest.mark.parametrize(
    ("text", "value"),
    [("12", 12), ("-3", -3), ("0", 0), ("1.50", 1.5), ("1e3", 1000.0), ("2.5E-1", 0.25), ("true", True), ("", None)],
)
def test_the_scalars_of_json_have_their_types(text: str, value: Any, tmp_path: Path) -> None:
    """Numbers, booleans and null, as YAML 1.2 reads them."""
    found = read(tmp_path, f"value: {text}\n")["value"]
    assert (found, type(found)) == (value, type(value))


def test_a_key_is_text_whatever_it_looks_like(tmp_path: Path) -> None:
    """A status is a name in a document."""
    assert read(tmp_path, "200: a\ntrue: b\nnull: c\n") == {"200": "a", "true": "b", "null": "c"}


def test_every_value_has_the_line_it_begins_on(tmp_path: Path) -> None:
    """Mappings by their key, items by their own line."""
    file = load(written(tmp_path, "a:\n  b: 1\n  c:\n    - x\n    - {d: 2}\ne/f~g: 3\n"))
    assert {pointer: file.line(pointer) for pointer in ("", "/a", "/a/b", "/a/c/0", "/a/c/1/d", "/e~1f~0g")} == {
        "": 1,
        "/a": 1,
        "/a/b": 2,
        "/a/c/0": 4,
        "/a/c/1/d": 5,
        "/e~1f~0g": 6,
    }


def test_a_value_that_is_not_there_has_the_line_of_what_should_hold_it(tmp_path: Path) -> None:
    """A missing member is looked for where it belongs."""
    file = load(written(tmp_path, "a:\n  b: 1\n"))
    assert file.line("/a/c/d") == 1
    assert file.fault("/a/c", "it is missing", "add it") == Fault(file.path, 1, "#/a/c", "it is missing", "add it")


def test_an_empty_file_has_no_value_and_no_line(tmp_path: Path) -> None:
    """Its shape is complained about, not its syntax."""
    file = load(written(tmp_path, "# nothing\n"))
    assert (file.value, file.line("/a")) == (None, None)


def test_a_member_name_is_escaped_in_a_pointer() -> None:
    """RFC 6901."""
    assert escape("a/b~c") == "a~1b~0c"


def test_every_key_that_is_given_twice_is_named(tmp_path: Path) -> None:
    """The second of two is where the mistake is."""
    faults = faults_of(tmp_path, "a: 1\nb:\n  c: 1\n  c: 2\na: 3\n")
    assert [(fault.line, fault.pointer, fault.reason) for fault in faults] == [
        (4, "#/b/c", "the key is given twice"),
        (5, "#/a", "the key is given twice"),
    ]


@pytest.mark.parametrize("text", ["a: 1\nb: {{coupon.used.code}}\n", "a: 1\nb: {[x]: 1}\n"])
def test_a_template_that_was_not_quoted_is_named_and_not_read_as_a_key(text: str, tmp_path: Path) -> None:
    """``{x}`` is a mapping in YAML; two of them are the usual slip."""
    [fault] = faults_of(tmp_path, text)
    assert (fault.line, fault.pointer) == (2, "#/b")
    assert fault.fix == "put a text that begins with { or [ in quotes"


@pytest.mark.parametrize(
    "text", ["!!timestamp 2021-05-25", "!!set {a}", "!!binary aGk=", "!mine 1", "!!python/name:os"]
)
def test_a_tag_that_json_does_not_know_is_named(text: str, tmp_path: Path) -> None:
    """A date or a set would fail far away from here, when it is written as JSON."""
    [fault] = faults_of(tmp_path, f"a: 1\nb: {text}\n")
    assert (fault.line, fault.pointer, fault.fix) == (2, "#/b", "leave the tag out")


@pytest.mark.parametrize("text", ["!!int many", "!!bool perhaps", "9" * 5000])
def test_a_scalar_that_cannot_be_read_is_named(text: str, tmp_path: Path) -> None:
    """A tag that its text belies; more digits than Python reads."""
    [fault] = faults_of(tmp_path, f"a: 1\nb: {text}\n")
    assert (fault.line, fault.pointer, fault.fix) == (2, "#/b", "put it in quotes")


def test_an_alias_inside_what_it_names_is_a_fault_and_no_crash(tmp_path: Path) -> None:
    """It would be an endless document."""
    [fault] = faults_of(tmp_path, "a: &again [*again]\n")
    assert fault.reason == "it is nested too deeply, or an alias stands inside what it names"


def test_an_alias_repeats_what_it_names(tmp_path: Path) -> None:
    """A pack may say once what several entities share."""
    assert read(tmp_path, "a: &shared {b: 1}\nc: *shared\n") == {"a": {"b": 1}, "c": {"b": 1}}


@pytest.mark.parametrize(
    ("text", "line"), [("a: [1,\nb: 2\n", 3), ("a: 'x\n", 2), ("a: 1\n---\nb: 2\n", 2), ("a:\n\t- b\n", 2)]
)
def test_what_is_not_yaml_is_named_with_its_line(text: str, line: int, tmp_path: Path) -> None:
    """An open bracket, an open quotation mark, a second document, a tab."""
    [fault] = faults_of(tmp_path, text)
    assert (fault.line, fault.reason.partition(":")[0]) == (line, "it is not YAML")


def test_a_file_that_is_not_utf_8_is_named(tmp_path: Path) -> None:
    """Latin-1 is a slip of an editor."""
    path = tmp_path / "file.yaml"
    path.write_bytes("title: Café\n".encode("latin-1"))
    with pytest.raises(FaultyFile, match=r"file\.yaml #: it is not UTF-8\. Fix: give a readable UTF-8 file\."):
        load(path)


@pytest.mark.parametrize(("name", "reason"), [("missing.yaml", "No such file"), (".", "Is a directory")])
def test_a_file_that_cannot_be_read_is_named(name: str, reason: str, tmp_path: Path) -> None:
    """The system's own reason."""
    with pytest.raises(FaultyFile, match=reason):
        load(tmp_path / name)


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path: Path) -> None:
    """Some editors write one."""
    assert isinstance(load(written(tmp_path, "\ufeffa: 1\n")), YamlFile)
    assert read(tmp_path, "\ufeffa: 1\n") == {"a": 1}

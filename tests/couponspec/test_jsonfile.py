"""JSON that remembers its lines when it is asked for them."""

import json
from pathlib import Path

import pytest
from couponspec import FaultyFile, jsonfile, yamlfile

TEXTS = {
    "an object over lines": '{\n "a": 1,\n "b": {\n  "c": [1, [2], {"d": null}],\n  "e": "x"\n }\n}',
    "all in one line": '{"a": [], "b": {}, "c": [{}, []], "d": -1.5e3, "e": true}',
    "names that have to be escaped": '{"a/b": {\n"~": 1,\n"\u00e9": 2}}',
    "brackets and quotes in texts": '{"a": "}],:{[",\n "b\\\\": "\\"",\n "c": 1}',
    "a list of objects": '[\n{"a": 1},\n{"a": [\n2]}\n]',
    "a value alone": "\n 7",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=[name.replace(" ", "-") for name in TEXTS])
def test_a_value_stands_where_the_reader_of_yaml_finds_it(text: str, tmp_path: Path) -> None:
    """JSON of this kind is YAML as well, so both readers have to agree on values and lines."""
    path = tmp_path / "a.json"
    path.write_text(text, encoding="utf-8")
    read, expected = jsonfile.load(path), yamlfile.load(path)
    assert read.value == expected.value == json.loads(text)
    assert dict(read.lines) == dict(expected.lines)


@pytest.mark.parametrize(
    ("text", "line", "pointer", "reason"),
    [
        ('{"a":\n 1,,}', 2, "#", "it is not JSON"),
        ("", 1, "#", "it is not JSON"),
        ('{"a": 1,\n "b": {"c": 1,\n "c": 2}}', 3, "#/b/c", "the key is given twice"),
        ('[{"a": 1}, {"a": 1, "a": 1}]', 1, "#/1/a", "the key is given twice"),
        ("[NaN]", None, "#", "it holds a number that JSON cannot: NaN"),
        ("[1e999]", None, "#", "it holds a number that JSON cannot: 1e999"),
        (f"[{'9' * 5000}]", None, "#", "it holds a number that JSON cannot"),
        ('["\\ud800"]', None, "#", "half of a surrogate pair"),
        ("[" * 100_000, None, "#", "it is nested too deeply"),
    ],
)
def test_what_is_no_json_for_exchange_is_named(
    text: str, line: int | None, pointer: str, reason: str, tmp_path: Path
) -> None:
    """With the line where there is one, and a fix."""
    path = tmp_path / "a.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(FaultyFile) as caught:
        jsonfile.load(path)
    [fault] = caught.value.faults
    assert (fault.file, fault.line, fault.pointer) == (path, line, pointer)
    assert reason in fault.reason
    assert fault.fix


def test_a_number_that_is_none_is_refused_in_yaml_too(tmp_path: Path) -> None:
    """No answer of ours could hold it."""
    path = tmp_path / "a.yaml"
    path.write_text("a: 1\nb: 1e999\n", encoding="utf-8")
    with pytest.raises(FaultyFile, match="2 #/b: the value cannot be read"):
        yamlfile.load(path)


def test_a_pair_of_surrogates_is_one_character(tmp_path: Path) -> None:
    """Escapes as other writers of JSON make them."""
    path = tmp_path / "a.json"
    path.write_text('["\\ud83d\\ude00"]', encoding="utf-8")
    assert jsonfile.load(path).value == ["\U0001f600"]

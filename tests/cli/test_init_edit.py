"""Whatever stands in a file, an edit changes one value and nothing else of what it says."""

import json
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hailuo_mcp.cli.set_up.init import json_edit
from hailuo_mcp.cli.set_up.init.command import client_named
from hailuo_mcp.cli.set_up.init.config_file import Entry, read

ENTRY = {"command": "/a b/hailuo-mcp", "args": ["-m", "x"], "env": {"K": '"\\ 中'}}
KEYS = st.text(max_size=6) | st.sampled_from(["mcpServers", "hailuo", "{", '"', "//", ","])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just("[}{],//"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)
SERVERS = st.dictionaries(KEYS, st.dictionaries(KEYS, VALUES, max_size=2), max_size=3)
DOCUMENTS = st.builds(
    lambda rest, servers: rest if servers is None else {**rest, "mcpServers": servers},
    st.dictionaries(KEYS.filter(lambda key: key != "mcpServers"), VALUES, max_size=4),
    st.none() | SERVERS,
)


@given(DOCUMENTS, st.sampled_from([None, 1, 2, 4, "\t"]), st.booleans(), st.booleans())
def test_an_edit_of_json_says_the_same_but_for_the_entry(document, indent, dense, crlf):
    text = json.dumps(document, indent=indent, separators=(",", ":") if dense else None)
    text = text.replace("\n", "\r\n") if crlf else text
    after = json_edit.put(text, ["mcpServers", "hailuo"], ENTRY)
    expected = {**document, "mcpServers": {**document.get("mcpServers", {}), "hailuo": ENTRY}}
    assert json.loads(after) == expected
    assert json_edit.put(after, ["mcpServers", "hailuo"], ENTRY) == after
    if "\n" in text:
        assert after.count("\r\n") == (after.count("\n") if crlf else 0)


@given(DOCUMENTS, st.lists(VALUES, max_size=3))
def test_an_item_is_added_to_a_list_that_may_be_missing(document, inputs):
    document = {**document, "inputs": inputs}
    text = json.dumps(document, indent=2)
    assert json.loads(json_edit.append(text, "inputs", {"id": "x"})) == {
        **document,
        "inputs": [*inputs, {"id": "x"}],
    }
    assert json.loads(json_edit.append("{}", "inputs", 1)) == {"inputs": [1]}


@given(DOCUMENTS)
def test_text_without_comments_is_its_own_text_without_comments(document):
    text = json.dumps(document, indent=2)
    assert json_edit.without_comments(text) == text


def test_comments_and_last_commas_are_blanked_where_they_stand():
    text = '{\n  // one\n  "a": "x // no", /* two\n */ "b": [1, 2,],\n}'
    plain = json_edit.without_comments(text)
    assert len(plain) == len(text)
    assert json.loads(plain) == {"a": "x // no", "b": [1, 2]}
    with pytest.raises(ValueError, match="Expecting"):
        json.loads(json_edit.without_comments('{"a": {,}}'))


def test_an_object_in_the_way_is_not_overwritten():
    with pytest.raises(ValueError, match="is not an object"):
        json_edit.put('{"mcpServers": 3}', ["mcpServers", "hailuo"], ENTRY)
    with pytest.raises(ValueError, match="is not a list"):
        json_edit.append('{"inputs": {}}', "inputs", 1)


CODEX = client_named("codex")
TABLES = [
    "",
    'model = "x"\n',
    '[mcp_servers.a]\ncommand = "a"\n\n[mcp_servers.a.env]\nK = "[mcp_servers.hailuo]"\n',
    '[mcp_servers.hailuo]\ncommand = "old"\n[mcp_servers.hailuo.env]\nA = "1"\n\n# end\n[z]\ny = 1\n',
    '[mcp_servers."hailuo"] # mine\ncommand = "old"\n[[list]]\na = 1\n',
    '[mcp_servers.a]\ncommand = "a"\n[z]\ny = 1\n[mcp_servers.b]\ncommand = "b"\n',
    'mcp_servers = { hailuo = { command = "x" } }\n',
    '[mcp_servers]\nhailuo = { command = "x" } # mine\n',
]


def changed(folder: Path, text: str) -> str:
    path = folder / "config.toml"
    path.write_bytes(text.encode())
    return read(CODEX, path).with_entry(Entry(name="hailuo", values=ENTRY), None)


@pytest.mark.parametrize("text", TABLES)
@pytest.mark.parametrize("crlf", [False, True])
def test_an_edit_of_toml_says_the_same_but_for_the_table(tmp_path: Path, text: str, crlf: bool):
    text = text.replace("\n", "\r\n") if crlf else text
    after = changed(tmp_path, text)
    before = tomllib.loads(text)
    servers = {**before.get("mcp_servers", {}), "hailuo": ENTRY}
    assert tomllib.loads(after) == {**before, "mcp_servers": servers}
    for remark in ("# end", "# mine"):
        assert (remark in after) is (remark in text)
    if text:
        assert after.count("\r\n") == (after.count("\n") if crlf else 0)
    assert changed(tmp_path, after) == after


def test_a_table_that_cannot_be_changed_alone_is_left_to_the_person(tmp_path: Path):
    with pytest.raises(ValueError, match="touch other entries"):
        changed(tmp_path, '[mcp_servers]\nhailuo.command = "x"\n')

"""XML that nobody vouches for."""

import pytest

from kmaskrcnn.data import DataError
from kmaskrcnn.data.formats.xml_files import number_of, read_xml, text_of

BOMB = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><a>&b;</a>'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-be"])
def test_entities_are_refused_in_every_encoding(tmp_path, encoding):
    path = tmp_path / "a.xml"
    path.write_bytes(BOMB.encode(encoding))
    with pytest.raises(DataError, match=r"a\.xml: .* entities, in an annotation"):
        read_xml(path)


def test_encodings(tmp_path):
    path = tmp_path / "a.xml"
    for encoding in ("utf-8", "utf-16"):
        path.write_bytes("<a><n> 1.5 </n><t>ä</t><n/></a>".encode(encoding))
        root = read_xml(path)
        assert number_of(root, "n") == 1.5 and text_of(root, "t") == "ä"
        assert number_of(root, "t") is None and text_of(root, "gone") == ""


@pytest.mark.parametrize("data", [b"", b"hello", b"<a>", b"<a></b>", b"\xff\xfe<\x00"])
def test_what_is_no_xml_is_named(tmp_path, data):
    path = tmp_path / "a.xml"
    path.write_bytes(data)
    with pytest.raises(DataError, match=r"a\.xml: not XML, or cut off"):
        read_xml(path)
    with pytest.raises(DataError, match="cannot be read"):
        read_xml(tmp_path / "gone.xml")

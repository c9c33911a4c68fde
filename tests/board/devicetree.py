"""Flattened device trees, as the kernel's package has them (Devicetree Specification 0.4, chapter 5)."""
import struct

BEGIN, END, PROPERTY, LAST = 1, 2, 3, 9


def nodes_of(blob):
    """{path: {property: bytes}}"""
    magic, _, at, strings = struct.unpack(">4I", blob[:16])
    assert magic == 0xd00dfeed
    names, nodes = [], {}
    while True:
        token, = struct.unpack(">I", blob[at:at + 4])
        at += 4
        if token == BEGIN:
            end = blob.index(b"\0", at)
            names.append(blob[at:end].decode())
            nodes["/".join(names)] = {}
            at = (end + 4) & ~3
        elif token == END:
            names.pop()
        elif token == PROPERTY:
            length, name = struct.unpack(">II", blob[at:at + 8])
            name = blob[strings + name:blob.index(b"\0", strings + name)].decode()
            nodes["/".join(names)][name] = blob[at + 8:at + 8 + length]
            at = (at + 8 + length + 3) & ~3
        elif token == LAST:
            return nodes


def devices_of(blob):
    """[(path, [compatible, ...])] of those that are switched on."""
    return [(path, node["compatible"].decode().rstrip("\0").split("\0")) for path, node in nodes_of(blob).items()
            if "compatible" in node and node.get("status", b"okay")[:2] == b"ok"]

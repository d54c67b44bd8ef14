"""Verifies a copy of the public log with Python's `cryptography` and `hashlib`, which share nothing
with ours: the note's signature, every entry against its tile, the root out of the tiles, and a
receipt by its path (RFC 9162, section 2.1.3.2).

usage: verify.py COPY OLD-CHECKPOINT RECEIPT
"""

import base64
import hashlib
import pathlib
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def need(holds, what):
    if not holds:
        sys.exit(what)


def sha(data):
    return hashlib.sha256(data).digest()


def node(left, right):
    return sha(b"\x01" + left + right)


def opened(text, name, key):
    """Origin, size and root of a signed checkpoint (C2SP signed-note)."""
    body, _, signatures = text.rpartition("\n\n")
    body += "\n"
    key_id = sha(name.encode() + b"\n\x01" + key)[:4]
    for line in signatures.splitlines():
        dash, who, signature = line.split(" ")
        signature = base64.b64decode(signature, validate=True)
        if dash == "—" and who == name and signature[:4] == key_id:
            try:
                Ed25519PublicKey.from_public_bytes(key).verify(signature[4:], body.encode())
            except InvalidSignature:
                sys.exit("the signature is wrong")
            origin, size, root = body.splitlines()[:3]
            need(origin == name, "the checkpoint is of another log")
            return int(size), base64.b64decode(root, validate=True)
    sys.exit("the log has not signed it")


def place(index):
    parts = [f"{index % 1000:03}"]
    while index >= 1000:
        index //= 1000
        parts.insert(0, f"x{index % 1000:03}")
    return "/".join(parts)


def named(folder, kind, index, total):
    """The file of a tile or bundle in a log where this level has `total` members."""
    width = min(256, total - index * 256)
    partial = f".p/{width}" if width < 256 else ""
    return (folder / "tile" / kind / (place(index) + partial)).read_bytes()


def split(data):
    entries = []
    while data:
        length = int.from_bytes(data[:2], "big")
        need(len(data) >= 2 + length, "a bundle is cut off")
        entries.append(data[2:2 + length])
        data = data[2 + length:]
    return entries


def subtree(hashes):
    """The root of RFC 6962 over a list of leaf or node hashes."""
    if len(hashes) == 1:
        return hashes[0]
    half = 1 << ((len(hashes) - 1).bit_length() - 1)
    return node(subtree(hashes[:half]), subtree(hashes[half:]))


def level(folder, number, total):
    """All hashes of a level of tiles."""
    hashes = []
    for index in range((total + 255) // 256):
        tile = named(folder, str(number), index, total)
        hashes += [tile[at:at + 32] for at in range(0, len(tile), 32)]
    need(len(hashes) == total, f"level {number} has {len(hashes)} hashes of {total}")
    return hashes


def receipt(text, name, key):
    head, _, checkpoint = text.partition("\n\n")
    header, extra, index, *path = head.splitlines()
    need(header == "c2sp.org/tlog-proof@v1", "not a receipt")
    entry = base64.b64decode(extra.removeprefix("extra "), validate=True)
    size, root = opened(checkpoint, name, key)
    at, last = int(index.removeprefix("index ")), size - 1
    need(at <= last, "the receipt's entry is beyond its log")
    have = sha(b"\x00" + entry)
    for other in (base64.b64decode(it, validate=True) for it in path):
        need(last != 0, "the receipt's path is too long")
        if at & 1 or at == last:
            have = node(other, have)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            have = node(have, other)
        at, last = at >> 1, last >> 1
    need(last == 0 and have == root, "the receipt's path does not lead to the root")


def main():
    folder = pathlib.Path(sys.argv[1])
    name, _, key = (folder / "key").read_text().strip().split("+", 2)
    key = base64.b64decode(key, validate=True)
    need(len(key) == 33 and key[0] == 1, "not an Ed25519 key")
    key = key[1:]
    size, root = opened((folder / "checkpoint").read_text(), name, key)
    leaves = []
    for index in range((size + 255) // 256):
        leaves += [sha(b"\x00" + it) for it in split(named(folder, "entries", index, size))]
    need(len(leaves) == size, f"{len(leaves)} entries of {size}")
    need(subtree(leaves) == root, "the entries do not give the root")
    hashes, number = leaves, 0
    while hashes:
        need(level(folder, number, len(hashes)) == hashes, f"tiles of level {number} differ")
        full = len(hashes) // 256
        hashes = [subtree(hashes[at * 256:at * 256 + 256]) for at in range(full)]
        number += 1
    old_size, old_root = opened(pathlib.Path(sys.argv[2]).read_text(), name, key)
    need(old_size <= size and subtree(leaves[:old_size]) == old_root, "the past was exchanged")
    receipt(pathlib.Path(sys.argv[3]).read_text(), name, key)
    print("good", size)


main()

"""Verifies an HCERT with Python's `cryptography` and `zlib` and a CBOR reader of its own, which share
nothing with our code. Arguments: the text, the public key (SubjectPublicKeyInfo in hex), the kid in hex.
Prints the claims as JSON, or fails.
"""

import json
import sys
import zlib

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"


def base45(text):
    out = bytearray()
    digits = [ALPHABET.index(letter) for letter in text]
    for at in range(0, len(digits), 3):
        part = digits[at : at + 3]
        value = sum(digit * 45**power for power, digit in enumerate(part))
        out += value.to_bytes(len(part) - 1, "big")
    return bytes(out)


def cbor(data, at=0):
    """The value at `at`, and where the next one begins."""
    major, size = data[at] >> 5, data[at] & 31
    at += 1
    if size >= 24:
        width = 1 << (size - 24)
        size = int.from_bytes(data[at : at + width], "big")
        at += width
    if major == 0:
        return size, at
    if major == 1:
        return -1 - size, at
    if major in (2, 3):
        part = data[at : at + size]
        return (part if major == 2 else part.decode()), at + size
    if major == 4:
        items = []
        for _ in range(size):
            item, at = cbor(data, at)
            items.append(item)
        return items, at
    if major == 5:
        entries = {}
        for _ in range(size):
            key, at = cbor(data, at)
            entries[key], at = cbor(data, at)
        return entries, at
    if major == 6:
        return cbor(data, at)
    raise ValueError(f"major type {major}")


def head(major, size):
    if size < 24:
        return bytes([major << 5 | size])
    width = 1 if size < 256 else 2
    return bytes([major << 5 | (23 + width)]) + size.to_bytes(width, "big")


def byte_string(data):
    return head(2, len(data)) + data


text, key, kid = sys.argv[1:]
assert text.startswith("HC1:")
message = zlib.decompress(base45(text[4:]))
(protected, unprotected, payload, signature), end = cbor(message)
assert end == len(message) and message[0] == 0xD2
assert cbor(protected)[0] == {1: -7, 4: bytes.fromhex(kid)} and unprotected == {}
signed = b"\x84\x6aSignature1" + byte_string(protected) + byte_string(b"") + byte_string(payload)
r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
public = load_der_public_key(bytes.fromhex(key))
public.verify(encode_dss_signature(r, s), signed, ECDSA(SHA256()))
claims = cbor(payload)[0]
print(json.dumps({"iss": claims[1], "exp": claims[4], "iat": claims[6], "content": claims[-260][1]}))

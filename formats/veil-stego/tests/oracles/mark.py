"""Computes vectors/mark.json from docs/format/mark.md alone. Fails at the first case that differs."""

import hashlib
import hmac
import json
import math
import pathlib
import struct
import sys


def chacha20(key, nonce):
    """RFC 8439 section 2.4, block counter 0: bytes without end."""

    def quarter(s, a, b, c, d):
        for x, y, z, turn in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            s[x] = (s[x] + s[y]) & 0xFFFFFFFF
            s[z] ^= s[x]
            s[z] = ((s[z] << turn) | (s[z] >> (32 - turn))) & 0xFFFFFFFF

    counter = 0
    while True:
        start = [0x61707865, 0x3320646E, 0x79622D32, 0x6B206574, *struct.unpack("<8I", key), counter]
        start += struct.unpack("<3I", nonce)
        s = list(start)
        for _ in range(10):
            for a, b, c, d in ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15)):
                quarter(s, a, b, c, d)
            for a, b, c, d in ((0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)):
                quarter(s, a, b, c, d)
        yield from struct.pack("<16I", *((x + y) & 0xFFFFFFFF for x, y in zip(s, start)))
        counter += 1


class Stream:
    def __init__(self, key, purpose, frame):
        self.bytes = chacha20(key, struct.pack("<IQ", purpose, frame))

    def take(self, count):
        return bytes(next(self.bytes) for _ in range(count))

    def word(self):
        return int.from_bytes(self.take(4), "little")

    def below(self, n):
        return (self.word() * n) >> 32


def shuffled(stream, items):
    for i in range(len(items)):
        j = i + stream.below(len(items) - i)
        items[i], items[j] = items[j], items[i]
    return items


def template(key, number):
    return shuffled(Stream(key, 9, number), [1] * 1280 + [-1] * 1280)


def rows(key, count):
    stream = Stream(key, 10, 0)
    order = shuffled(stream, list(range(1, 64)))
    free, resting, found = order[:23], order[23:], []
    for s in range(count):
        j = stream.below(23)
        found.append(free[j])
        free[j], resting[s % 40] = resting[s % 40], free[j]
    return found


def slot(key, number):
    word = Stream(key, 11, number).word()
    return (2**32 - 907633385 if word & 1 else 907633385), word >> 1 & 1


def packed(bits):
    return bytes(sum(bit << at for at, bit in enumerate(bits[i : i + 8])) for i in range(0, len(bits), 8)).hex()


def title(case):
    key = bytes.fromhex(case["key"])
    assert packed([cell > 0 for cell in template(key, case["template"])]) == case["up"]
    assert rows(key, len(case["rows"])) == case["rows"]
    for number, bias, first in case["slots"]:
        assert slot(key, number) == (bias, first)


def codeword(case):
    key, viewer = bytes.fromhex(case["key"]), bytes.fromhex(case["viewer"])
    secret = Stream(key, 12, 0).take(32)
    own = hmac.digest(secret, viewer, hashlib.sha256)
    second = []
    for s in range(case["slots"]):
        tag = hmac.digest(own, struct.pack("<I", s // 8), hashlib.sha256)
        bias, first = slot(key, s)
        symbol = struct.unpack("<8I", tag)[s % 8] < bias
        second.append(symbol != bool(first))
    assert packed(second) == case["variant_2"]


def keys(distance):
    d = abs(distance)
    if d < 1:
        return 1.5 * d**3 - 2.5 * d**2 + 1
    return -0.5 * d**3 + 2.5 * d**2 - 4 * d + 2 if d < 2 else 0.0


def pattern(case):
    cells = template(bytes.fromhex(case["key"]), 0)

    def value(x, y):
        x, y = min(max(x, 0), 63), min(max(y, 0), 39)
        k = y // 5 * 8 + x // 8
        return cells[y * 64 + x] * (-1) ** bin(case["row"] & k).count("1")

    for x, y, thousandths in case["samples"]:
        u = (x + 0.5) * 64 / case["width"] - 0.5
        v = (y + 0.5) * 40 / case["height"] - 0.5
        left, top = math.floor(u) - 1, math.floor(v) - 1
        sample = sum(
            value(i, j) * keys(u - i) * keys(v - j) for i in range(left, left + 4) for j in range(top, top + 4)
        )
        assert abs(sample * 1000 - thousandths) < 1.5


if __name__ == "__main__":
    vectors = json.loads(pathlib.Path(sys.argv[1]).read_text())
    checks = {"titles": title, "codewords": codeword, "patterns": pattern}
    for name, check in checks.items():
        for case in vectors[name]:
            check(case)
    print(json.dumps({name: len(vectors[name]) for name in checks}))

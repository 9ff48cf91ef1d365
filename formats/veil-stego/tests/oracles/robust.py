"""Computes vectors/robust.json from docs/format/stego.md ("Streams", "Robust") alone. Fails at the first case that differs."""

import json
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

    def word(self):
        return int.from_bytes(bytes(next(self.bytes) for _ in range(4)), "little")

    def below(self, n):
        return (self.word() * n) >> 32


def shuffled(stream, items, count):
    for i in range(count):
        j = i + stream.below(len(items) - i)
        items[i], items[j] = items[j], items[i]
    return items


def places(stream, carriers):
    words = [stream.word() for _ in carriers]
    return [[c, word >> 24, word & 1] for c, word in zip(carriers, words)]


def ends(all_places):
    return all_places[:3] + all_places[-2:]


def slot(case):
    n = case["carriers"]
    p = max(n // 32, 96)
    front = Stream(bytes.fromhex(case["front_key"]), 5, case["profile"] * 65536 + case["lane"] * 16 + case["slot"] % 16)
    carriers = shuffled(front, list(range(n)), p + 160)
    first, others = places(front, carriers[: p + 160]), carriers[p + 160 :]
    rest = Stream(bytes.fromhex(case["body_key"]), 6, case["slot"])
    behind = places(rest, shuffled(rest, others, len(others)))
    assert case["front_pilots"] == ends(first[:p]) and case["head"] == ends(first[p:])
    assert case["rest_pilots"] == ends(behind[: n // 32]) and case["data"] == ends(behind[n // 32 :])


def bits_of(data):
    return [byte >> at & 1 for byte in data for at in range(8)]


def bytes_of(bits):
    padded = bits + [0] * (-len(bits) % 8)
    return bytes(sum(bit << at for at, bit in enumerate(padded[i : i + 8])) for i in range(0, len(padded), 8))


def travelling(message, m):
    k = len(message)
    stream = Stream(bytes(32), 7, k * 2**32 + m)
    degrees = [12 if j % 3 == 0 else 3 for j in range(k)]
    total = sum(degrees)
    left = [i * m // total for i in range(total)]
    checks, of_bit = [[] for _ in range(m)], [[] for _ in range(k)]
    for j in range(k):
        for _ in range(degrees[j]):
            at = stream.below(len(left))
            for _ in range(31):
                c = left[at]
                near = any(abs(own - c) <= 1 for own in of_bit[j])
                if not near and not any(own in of_bit[j] for bit in checks[c] for own in of_bit[bit]):
                    break
                at = stream.below(len(left))
            c, left[at] = left[at], left[-1]
            left.pop()
            if c not in of_bit[j]:
                of_bit[j].append(c)
                checks[c].append(j)
    word, parity = list(message), 0
    for check in checks:
        parity ^= sum(message[j] for j in check) & 1
        word.append(parity)
    order = shuffled(Stream(bytes(32), 8, k + m), list(range(k + m)), k + m)
    return [word[at] for at in order]


def code(case):
    word = travelling(bits_of(bytes.fromhex(case["message"])), case["checks"])
    assert bytes_of(word).hex() == case["travelling"]


def head(case):
    word = travelling(bits_of(bytes.fromhex(case["head"])), 2048)
    assert case["slots"] == [bytes_of(word[c * 160 : c * 160 + 160]).hex() for c in range(16)]


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def packet(case):
    number = case["number"]
    text = bytes.fromhex(case["body"])[number * 256 : number * 256 + 256].ljust(256, b"\0")
    text += struct.pack("<I", crc32c(struct.pack("<I", number) + text))
    mask = Stream(bytes.fromhex(case["body_key"]), 4, number).bytes
    assert bytes(byte ^ next(mask) for byte in text).hex() == case["packet"]


def lattice(case):
    step, b = case["step"], case["bit"] ^ case["mask"]
    offset = step * (case["dither"] / 256 + b / 2)
    assert abs(round((case["value"] - offset) / step) * step + offset - case["moved"]) < 1e-4


if __name__ == "__main__":
    vectors = json.loads(pathlib.Path(sys.argv[1]).read_text())
    checks = {"slots": slot, "codes": code, "heads": head, "packets": packet, "lattices": lattice}
    for name, check in checks.items():
        for case in vectors[name]:
            check(case)
    print(json.dumps({name: len(vectors[name]) for name in checks}))

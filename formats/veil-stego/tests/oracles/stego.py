"""Oracle: docs/format/stego.md, written down once more from the page alone, over PyPI's `cryptography`.

Called with the path of a JSON request {"ask": …, "cases": […]}; prints the JSON list of answers: what the page says
that each case comes to. It shares no line with this project's code, and reads only: what a writer changes is its own business.
"""

import hashlib
import hmac
import json
import struct
import sys

from cryptography.hazmat.primitives.asymmetric import mlkem, x25519
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

TILE_SAMPLES = 32768
HEAD_BYTES = 64
HEAD_SAMPLES = 10240


# Streams.
class Stream:
    def __init__(self, key, purpose, frame):
        counter_and_nonce = struct.pack("<IIQ", 0, purpose, frame)
        self.cipher = Cipher(algorithms.ChaCha20(key, counter_and_nonce), mode=None).encryptor()

    def take(self, count):
        return self.cipher.update(bytes(count))

    def below(self, end):
        word = int.from_bytes(self.take(4), "little")
        return word * end >> 32


# Order of samples.
def order(key, frame, width, height):
    stream = Stream(key, 1, frame)
    a1 = [stream.below(width) for _ in range(height)]
    b1 = [stream.below(height) for _ in range(width)]
    a2 = [stream.below(width) for _ in range(height)]
    b2 = [stream.below(height) for _ in range(width)]
    places = []
    for n in range(width * height):
        y, x = divmod(n, width)
        for a, b in ((a1, b1), (a2, b2)):
            x = (x + a[y]) % width
            y = (y + b[x]) % height
        places.append(y * width + x)
    return places


# Code.
def columns(key, frame, rows, samples_per_bit):
    stream, left, drawn = Stream(key, 2, frame), [], []
    while len(drawn) < samples_per_bit:
        left = left or list(range(1 << rows - 2))
        at = stream.below(len(left))
        inner, left[at] = left[at], left[-1]
        left.pop()
        drawn.append(inner * 2 + 1 + (1 << rows - 1))
    return drawn


def syndrome(bits, small):
    state, message = 0, []
    for start in range(0, len(bits), len(small)):
        for bit, column in zip(bits[start:], small):
            state ^= column * bit
        message.append(state & 1)
        state >>= 1
    return message


# Tiles.
def read(frame, places, first, small, count):
    out = bytearray()
    while len(out) < count:
        length = min(TILE_SAMPLES // (8 * len(small)), count - len(out))
        samples = length * 8 * len(small)
        message = syndrome([frame[place] & 1 for place in places[first : first + samples]], small)
        out += bytes(sum(bit << i for i, bit in enumerate(message[at : at + 8])) for at in range(0, len(message), 8))
        first += samples
    return bytes(out)


def is_flat(frame, width, height):
    starts = range(0, width * height, width)
    differing = sum(frame[n] != frame[n + 1] for start in starts for n in range(start, start + width - 1))
    return differing < width * height // 16


def xored(one, other):
    return bytes(a ^ b for a, b in zip(one, other))


# Head and body.
def message(frames, width, height, head_key, body_key, layout):
    rows, samples_per_bit = layout["rows"], layout["samples_per_bit"]
    total, frame_count = layout["body_bytes"], layout["frame_count"]
    most = (width * height - HEAD_SAMPLES) // (8 * samples_per_bit)
    head, body, carried, since = None, b"", 0, 0
    for f, frame in enumerate(frames):
        if is_flat(frame, width, height):
            carried, since = len(body), f + 1
            continue
        end = carried + (total - carried) * (f + 1 - since) // max(frame_count - since, 1)
        count = min(end, total, len(body) + most) - len(body)
        key, first = (body_key, 0) if head else (head_key, HEAD_SAMPLES)
        places = order(key, f, width, height)
        if head is None:
            head = read(frame, places, 0, columns(key, f, 7, 20), HEAD_BYTES)
        share = read(frame, places, first, columns(key, f, rows, samples_per_bit), count)
        body += xored(share, Stream(body_key, 4, f).take(count))
    return head, body


# Keys.
def expand(key, info, length):
    return HKDFExpand(SHA512(), length, info).derive(key)


def recipient(seed):
    expanded = hashlib.shake_256(seed).digest(96)
    lattice = mlkem.MLKEM768PrivateKey.from_seed_bytes(expanded[:64]).public_key()
    curve = x25519.X25519PrivateKey.from_private_bytes(expanded[64:]).public_key()
    return lattice.public_bytes_raw() + curve.public_bytes_raw()


def first_half(label, data):
    return hmac.digest(label, data, "sha512")[:32]


def finder(case):
    if "passphrase" in case:
        kdf = Argon2id(salt=b"veilcast/hide/v1", length=32, iterations=3, lanes=4, memory_cost=65536)
        return kdf.derive(case["passphrase"].encode())
    if "recipient_seed" in case:
        return first_half(b"veilcast/hidden/recipient/v1", recipient(bytes.fromhex(case["recipient_seed"])))
    label = b"veilcast/hidden/key-file/v1"
    return expand(first_half(label, bytes.fromhex(case["key_file"])), label, 32)


def layout_of(plain):
    version, mode, rows, samples_per_bit, keyring_bytes, frame_count, body_bytes, rest = struct.unpack("<4BI3Q", plain)
    assert (version, mode, rest) == (1, 1, 0)
    return {
        "rows": rows,
        "samples_per_bit": samples_per_bit,
        "keyring_bytes": keyring_bytes,
        "frame_count": frame_count,
        "body_bytes": body_bytes,
    }


# What is asked.
def places(case):
    key, frame = bytes.fromhex(case["key"]), case["frame"]
    found = order(key, frame, case["width"], case["height"])
    codes = [(code["rows"], code["samples_per_bit"]) for code in case["codes"]]
    return {
        "first_places": " ".join(map(str, found[:16])),
        "places_sha256": hashlib.sha256(struct.pack(f"<{len(found)}I", *found)).hexdigest(),
        "columns": [" ".join(map(str, columns(key, frame, *code))) for code in codes],
        "mask": Stream(key, 4, frame).take(32).hex(),
    }


def lossless(case):
    width, height, frames = case["width"], case["height"], []
    for f, moved in enumerate(case["frames"]):
        flat = f in case["flat"]
        frame = [90 if flat else 40 + (n * (n + 3 * f + 7) // 16) % 151 for n in range(width * height)]
        for name, by in (("up", 1), ("down", -1)):
            for place in map(int, moved[name].split()):
                frame[place] += by
        frames.append(frame)
    keys = (bytes.fromhex(case[name]) for name in ("head_key", "body_key"))
    head, body = message(frames, width, height, *keys, case["layout"])
    return {"head": head.hex(), "body": body.hex()}


def hidden(case):
    found, head = finder(case), bytes.fromhex(case["head"])
    salt = head[:16]
    key = expand(found, b"veilcast/hidden/head/v1" + salt, 44)
    answer = {
        "layout": layout_of(AESGCM(key[:32]).decrypt(key[32:], head[16:], None)),
        "head_place": expand(found, b"veilcast/hidden/head-place/v1" + bytes([9]) * 32, 32).hex(),
        "body_place": expand(found, b"veilcast/hidden/body-place/v1" + salt, 32).hex(),
    }
    if "key_file" in case:
        d = first_half(b"veilcast/hidden/key-file/v1", bytes.fromhex(case["key_file"]))
        seed = expand(d, b"veilcast/hidden/key-file-identity/v1", 32)
        answer["identity_key_id"] = hashlib.sha512(recipient(seed)).hexdigest()[:32]
    return answer


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        request = json.load(file)
    ask = {"places": places, "lossless": lossless, "hidden": hidden}[request["ask"]]
    json.dump([ask(case) for case in request["cases"]], sys.stdout)


main()

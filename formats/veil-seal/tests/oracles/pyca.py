"""Oracle: PyPI's `cryptography`, with HPKE and Cobblestone of its own.

Called with the path of a JSON request {"ask": …, "cases": […]}; prints the JSON list of answers. Bytes are base64.
Knows nothing of this project's formats: whatever it is given, it seals and opens.
"""

import base64
import hashlib
import json
import os
import sys

import cryptography_vectors
from cryptography.cobblestone import Cobblestone256Decryptor, Cobblestone256Encryptor
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.bindings._rust import openssl
from cryptography.hazmat.primitives.asymmetric import mlkem, x25519
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, MLKEM768X25519PrivateKey, Suite

SUITE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


def decoded(case):
    return {name: base64.b64decode(value) for name, value in case.items()}


def text(value):
    return None if value is None else base64.b64encode(value).decode()


def encoded(answer):
    return {name: text(value) for name, value in answer.items()}


def opened_or_none(open_it):
    try:
        return open_it()
    except (InvalidTag, ValueError):
        return None


def cobblestone(key, context, plaintext, sealed):
    def open_it():
        decryptor = Cobblestone256Decryptor(key, context)
        return decryptor.update(sealed) + decryptor.finalize()

    encryptor = Cobblestone256Encryptor(key, context)
    again = encryptor.update(plaintext) + encryptor.finalize()
    return {"opened": opened_or_none(open_it), "sealed": again}


def private_key(seed):
    expanded = hashlib.shake_256(seed).digest(96)
    lattice = mlkem.MLKEM768PrivateKey.from_seed_bytes(expanded[:64])
    return MLKEM768X25519PrivateKey(lattice, x25519.X25519PrivateKey.from_private_bytes(expanded[64:]))


def hpke(seed, info, aad, plaintext, sealed):
    key = private_key(seed)
    # The public methods take no associated data; these are what they call.
    again = openssl.hpke._encrypt_with_aad(SUITE, plaintext, key.public_key(), info, aad)
    opened = opened_or_none(lambda: openssl.hpke._decrypt_with_aad(SUITE, sealed, key, info, aad))
    return {"opened": opened, "sealed": again}


def hpke_pq_vectors():
    name = os.path.join("HPKE", "hpke-pq-test-vectors.json")
    with cryptography_vectors.open_vector_file(name, "r") as file:
        return json.load(file)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        request = json.load(file)
    if request["ask"] == "hpke-pq-vectors":
        answers = hpke_pq_vectors()
    else:
        ask = {"cobblestone": cobblestone, "hpke": hpke}[request["ask"]]
        answers = [encoded(ask(**decoded(case))) for case in request["cases"]]
    json.dump(answers, sys.stdout)


main()

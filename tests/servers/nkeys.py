"""Keys as NATS writes them, and what is signed with them, by OpenSSL."""

import base64
import binascii
import json
import subprocess

KINDS = {"operator": 14 << 3, "account": 0, "user": 20 << 3}
SEED = 18 << 3


def text(data):
    return base64.b32encode(data + binascii.crc_hqx(data, 0).to_bytes(2, "little")).decode().rstrip("=")


def url(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


class Key:
    """A new key of an operator, an account or a user. `seed` is the secret half, `public` names it."""

    def __init__(self, folder, kind, name=""):
        self.kind, self.file = kind, folder / f"{name or kind}.key"
        self.openssl("genpkey", "-algorithm", "ed25519", "-out", self.file)
        code = KINDS[kind]
        self.public = text(bytes([code]) + self.openssl("pkey", "-in", self.file, "-pubout", "-outform", "DER")[-32:])
        secret = self.openssl("pkey", "-in", self.file, "-outform", "DER")[-32:]
        self.seed = text(bytes([SEED | code >> 5, (code & 31) << 3]) + secret)

    def openssl(self, *words):
        return subprocess.run(["openssl", *words], check=True, capture_output=True).stdout

    def sign(self, data):
        message = self.file.with_suffix(".message")
        message.write_bytes(data)
        return url(self.openssl("pkeyutl", "-sign", "-rawin", "-inkey", self.file, "-in", message))

    def vouches(self, other, **limits):
        """A token that says who `other` is and what it may."""
        claims = {"jti": other.public, "iat": 1, "iss": self.public, "sub": other.public, "name": "plant"}
        claims["nats"] = {"type": other.kind, "version": 2, **limits}
        parts = [url(json.dumps(part).encode()) for part in ({"typ": "JWT", "alg": "ed25519-nkey"}, claims)]
        return ".".join([*parts, self.sign(".".join(parts).encode())])

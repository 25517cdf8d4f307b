"""Makes JWTs as wrong as one likes, signed with real keys."""

import base64
import json

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519


def b64(data):
    if isinstance(data, str):
        data = data.encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def compact(value):
    return value if isinstance(value, (str, bytes)) else json.dumps(value, separators=(",", ":"))


def sign(key, header, claims):
    """JWS compact over header and claims, given as objects or as raw text."""
    signing_input = f"{b64(compact(header))}.{b64(compact(claims))}"
    return f"{signing_input}.{b64(key.sign(signing_input.encode()))}"


def private_key(path):
    return serialization.load_pem_private_key(path.read_bytes(), None)


def new_key():
    return ed25519.Ed25519PrivateKey.generate()


def parts(token):
    header, claims, signature = token.split(".")
    return json.loads(unb64(header)), json.loads(unb64(claims)), unb64(signature)

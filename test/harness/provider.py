"""A real OpenID provider in small: discovery and keys over HTTPS, with a certificate of an authority of its own."""

import contextlib
import datetime
import http.server
import ipaddress
import json
import ssl
import threading
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from jws import b64, compact


def number(value, size=None):
    return b64(value.to_bytes(size or (value.bit_length() + 7) // 8, "big"))


class Key:
    """RS256 or ES256, with an id."""

    def __init__(self, kid, kind="RS256", **more):
        self.kid, self.kind, self.more = kid, kind, more
        self.private = rsa.generate_private_key(65537, 2048) if kind == "RS256" else ec.generate_private_key(ec.SECP256R1())

    def jwk(self):
        numbers = self.private.public_key().public_numbers()
        if self.kind == "RS256":
            return {"kty": "RSA", "kid": self.kid, "n": number(numbers.n), "e": number(numbers.e), "use": "sig", **self.more}
        return {"kty": "EC", "crv": "P-256", "kid": self.kid, "x": number(numbers.x, 32), "y": number(numbers.y, 32), **self.more}

    def sign(self, claims, **header):
        text = f"{b64(compact({'alg': self.kind, 'kid': self.kid, 'typ': 'JWT', **header}))}.{b64(compact(claims))}"
        if self.kind == "RS256":
            return f"{text}.{b64(self.private.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()))}"
        r, s = decode_dss_signature(self.private.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{text}.{b64(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def certificate(folder, host="127.0.0.1"):
    """Paths of an authority's certificate, and of chain and key that it vouches for."""
    def name(text):
        return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])

    def make(subject, key, issuer, signer, *extensions):
        now = datetime.datetime.now(datetime.timezone.utc)
        builder = (x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name(issuer)).public_key(key.public_key())
                   .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
                   .not_valid_after(now + datetime.timedelta(days=2)))
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return builder.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    authority, own = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    paths = [folder / each for each in ("authority.pem", "provider.pem", "provider.key")]
    paths[0].write_bytes(make("authority", authority, "authority", authority, (x509.BasicConstraints(True, None), True)))
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(host)), x509.DNSName("localhost")])
    paths[1].write_bytes(make("provider", own, "authority", authority, (names, False)))
    paths[2].write_bytes(own.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                           serialization.NoEncryption()))
    return paths


class Provider:
    """`issuer` has a path, as those of Keycloak and Entra have. `documents` may be changed while it runs."""

    def __init__(self, folder, path="/realms/a"):
        self.authority, chain, key = certificate(folder)
        self.keys, self.requests, self.document = [Key("one")], [], {}
        provider = self

        class Pages(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                provider.requests.append((time.monotonic(), self.path))
                answer = provider.answer(self.path)
                status, body, more = answer if isinstance(answer, tuple) else (200, answer, {})
                body = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                for header, value in {"Content-Type": "application/json", "Content-Length": str(len(body)), **more}.items():
                    self.send_header(header, value)
                self.end_headers()
                with contextlib.suppress(OSError):
                    self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.pages, self.chain, self.key, self.port, self.path = Pages, chain, key, 0, path
        self.start()
        self.issuer = f"https://127.0.0.1:{self.port}{path}"
        self.jwks_url = f"https://127.0.0.1:{self.port}/keys"

    def start(self):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), self.pages)
        self.port = self.server.server_port
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.chain, self.key)
        # The handshake in the connection's own thread: a client that refuses the certificate must not end the server.
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    end = stop

    def answer(self, path):
        if path in self.document:
            return self.document[path]
        if path == f"{self.path}/.well-known/openid-configuration":
            return {"issuer": self.issuer, "jwks_uri": self.jwks_url, "id_token_signing_alg_values_supported": ["RS256"]}
        if path == "/keys":
            return {"keys": [key.jwk() for key in self.keys]}
        return 404, {}, {}

    def token(self, key=None, **change):
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": "latchkey", "sub": "alice", "role": "admin", "iat": now, "exp": now + 3600, **change}
        return (key or self.keys[0]).sign({name: value for name, value in claims.items() if value is not None})

    @property
    def settings(self):
        return {"LATCHKEY_ADMIN_OIDC_ISSUER": self.issuer, "LATCHKEY_ADMIN_AUDIENCE": "latchkey", "SSL_CERT_FILE": str(self.authority)}

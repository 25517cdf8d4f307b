"""What TLS is not spoken: old versions, no encryption, renegotiation, other protocols."""

import subprocess
import urllib.parse

import pytest

from latchkey import Service
from test_up import self_signed

pytestmark = pytest.mark.engines("sqlite", reason="about the services' doors, which are the same with every store")


@pytest.fixture
def service(tmp_path):
    it = Service("keys", tmp_path / "home" / "data", **self_signed(tmp_path)).start(wait="listens")
    yield it
    it.end()


def handshake(service, *words, said=""):
    address = urllib.parse.urlsplit(service.url)
    command = ["openssl", "s_client", "-connect", f"{address.hostname}:{address.port}", *words]
    done = subprocess.run(command, input=said, capture_output=True, text=True, timeout=300, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("words", [
    ("-tls1", "-cipher", "ALL:@SECLEVEL=0"), ("-tls1_1", "-cipher", "ALL:@SECLEVEL=0"),
    ("-tls1_2", "-cipher", "eNULL:@SECLEVEL=0"), ("-tls1_2", "-cipher", "aNULL:@SECLEVEL=0"),
    ("-tls1_2", "-cipher", "kRSA"), ("-tls1_2", "-cipher", "AES128-SHA:@SECLEVEL=0"),
], ids=" ".join)
def test_weak_ones_are_refused(service, words):
    code, told = handshake(service, *words)
    assert code != 0 and "Cipher is (NONE)" in told, told


def test_strong_ones_are_spoken(service):
    for version in ("-tls1_2", "-tls1_3"):
        code, told = handshake(service, version)
        assert code == 0 and "Cipher is (NONE)" not in told, told


def test_http_2_is_not_agreed_on(service):
    assert "ALPN protocol: h2" not in handshake(service, "-alpn", "h2,http/1.1")[1]


def test_a_renegotiation_is_refused(service):
    """The letter R alone on a line asks for one."""
    address = urllib.parse.urlsplit(service.url)
    client = subprocess.Popen(["openssl", "s_client", "-tls1_2", "-connect", f"{address.hostname}:{address.port}"],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    client.stdin.write("R\n")
    client.stdin.flush()
    told = "".join(iter(client.stdout.readline, ""))
    assert "RENEGOTIATING" in told and client.wait(timeout=300) != 0, told
    assert service.alive()

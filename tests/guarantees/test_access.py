"""Who may call: known, narrow and revoked keys; TLS with and without client certificates."""

import datetime
import ipaddress
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

import models
from servers import Caller, Server, infer_body, serving

FLOATS: Final = {"x": np.ones((1, 3), np.float32)}
INFER: Final = "/v2/models/floats/infer"
BROAD: Final = "broad-secret-0123456789-0123456789"
NARROW: Final = "narrow-secret-0123456789-012345678"
FILES: Final = {"floats": models.identity("FP32"), "others": models.identity("FP32")}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("keys")
    _write_keys(folder, f"broad={BROAD}", f"narrow={NARROW}")
    options = ["--key", f"@{folder / 'keys'}"]
    with serving(folder, FILES, *options, engines="narrow_keys") as server:
        yield server


def _write_keys(folder: Path, *lines: str) -> None:
    (folder / "keys").write_text("\n".join(lines) + "\n")
    (folder / "keys").chmod(0o600)


def _status(server: Server, path: str, secret: str | None, scheme: str = "Bearer") -> int:
    headers = {} if secret is None else {"Authorization": f"{scheme} {secret}"}
    return server.call("POST", path, infer_body(FLOATS), **headers).status


def test_a_known_key_opens_and_an_unknown_one_does_not(server: Server) -> None:
    assert _status(server, INFER, BROAD) == 200
    assert _status(server, INFER, None) == 401
    assert _status(server, INFER, BROAD[:-1]) == 401
    assert _status(server, INFER, BROAD, scheme="Basic") == 401


def test_a_key_opens_the_endpoints_it_names_and_no_others(server: Server) -> None:
    assert _status(server, INFER, NARROW) == 200
    assert _status(server, "/v2/models/others/infer", NARROW) == 403
    assert _status(server, "/v2/models/others/infer", BROAD) == 200


@pytest.mark.parametrize("path", ["/v2", "/v2/models/floats", "/v2/models/stats", "/metrics"])
def test_what_tells_of_the_service_asks_for_a_key_too(server: Server, path: str) -> None:
    assert server.call("GET", path).status == 401
    assert server.call("GET", path, Authorization=f"Bearer {BROAD}").status == 200


def test_health_is_open_to_load_balancers(server: Server) -> None:
    assert server.call("GET", "/v2/health/live").status == 200
    assert server.call("GET", "/v2/health/ready").status == 200


def test_a_refusal_tells_how_to_do_better_and_no_secret(server: Server) -> None:
    refused = server.call("POST", INFER, b"{}", Authorization="Bearer wrong-one")
    assert refused.headers["www-authenticate"].startswith("Bearer")
    assert refused.headers["content-type"] == "application/json"
    for secret in (BROAD, NARROW, "wrong-one"):
        assert secret not in refused.body.decode()
        assert secret not in server.said()


def test_records_tell_whose_key_it_was(server: Server) -> None:
    reply = server.call("POST", INFER, infer_body(FLOATS), Authorization=f"Bearer {NARROW}")
    assert server.record_of(reply.prediction_id).principal == "narrow"


def test_a_revoked_key_stops_working_although_its_head_was_known(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("revoked")
    _write_keys(folder, f"first={BROAD}", f"second={NARROW}")
    headers = {"Authorization": f"Bearer {NARROW}"}
    with (
        serving(folder, FILES, "--key", f"@{folder / 'keys'}") as server,
        server.caller() as caller,
    ):
        for _ in range(3):  # the same bytes on one connection: the head is taken from memory
            assert caller.call("POST", INFER, infer_body(FLOATS), **headers).status == 200
        _write_keys(folder, f"first={BROAD}")
        server.reload()
        assert caller.call("POST", INFER, infer_body(FLOATS), **headers).status == 401
        assert _status(server, INFER, BROAD) == 200


# --- TLS ---------------------------------------------------------------------------------------


class Authority:
    """A certificate authority of the test's own."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder
        self.name = name
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._subject = _named(name)
        certificate = self._certificate(self._subject, self._key, is_authority=True)
        self.pem = self._write(f"{name}.pem", certificate.public_bytes(_PEM))

    def issue(self, name: str) -> tuple[str, str]:
        """The paths of a certificate for 127.0.0.1 and of its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._certificate(_named(name), key, is_authority=False)
        plain = serialization.NoEncryption()
        private = key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, plain)
        return (
            self._write(f"{self.name}-{name}.pem", certificate.public_bytes(_PEM)),
            self._write(f"{self.name}-{name}.key", private),
        )

    def _certificate(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, *, is_authority: bool
    ) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(hours=1))
            .add_extension(here, critical=False)
            .add_extension(x509.BasicConstraints(is_authority, None), critical=True)
            .sign(self._key, hashes.SHA256())
        )

    def _write(self, name: str, content: bytes) -> str:
        path = self.folder / name
        path.write_bytes(content)
        path.chmod(0o600)
        return str(path)


_PEM = serialization.Encoding.PEM


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _trusting(authority: Authority, certificate: tuple[str, str] | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=authority.pem)
    if certificate is not None:
        context.load_cert_chain(*certificate)
    return context


def _ask(server: Server, context: ssl.SSLContext) -> int:
    with Caller(server.url, tls=context) as caller:
        return caller.call("POST", INFER, infer_body(FLOATS)).status


def test_tls_serves_who_trusts_the_certificate_and_renews_it(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("tls")
    authority = Authority(folder, "ours")
    certificate, key = authority.issue("server")
    options = ["--tls-cert", certificate, "--tls-key", key]
    with serving(folder, FILES, *options) as server:
        assert server.url.startswith("https://")
        assert _ask(server, _trusting(authority)) == 200
        large = infer_body({"x": np.ones((5000, 3), np.float32)})
        with Caller(server.url, tls=_trusting(authority)) as caller:
            assert len(caller.call("POST", INFER, large).json["outputs"][0]["data"]) == 15_000
        stranger = Authority(folder, "stranger")
        with pytest.raises(ssl.SSLCertVerificationError):
            _ask(server, _trusting(stranger))
        renewed = stranger.issue("server")
        Path(certificate).write_bytes(Path(renewed[0]).read_bytes())
        Path(key).write_bytes(Path(renewed[1]).read_bytes())
        server.reload()
        assert _ask(server, _trusting(stranger)) == 200


def test_with_a_client_authority_only_its_certificates_are_let_in(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("mtls")
    servers, clients = Authority(folder, "servers"), Authority(folder, "clients")
    certificate, key = servers.issue("server")
    options = ["--tls-cert", certificate, "--tls-key", key, "--tls-client-ca", clients.pem]
    with serving(folder, FILES, *options) as server:
        assert _ask(server, _trusting(servers, clients.issue("alice"))) == 200
        with pytest.raises((ssl.SSLError, ConnectionError)):
            _ask(server, _trusting(servers))
        with pytest.raises((ssl.SSLError, ConnectionError)):
            _ask(server, _trusting(servers, servers.issue("mallory")))
        assert _ask(server, _trusting(servers, clients.issue("bob"))) == 200


def test_plain_http_on_a_tls_port_harms_nobody(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("plain")
    authority = Authority(folder, "ours")
    certificate, key = authority.issue("server")
    with serving(folder, FILES, "--tls-cert", certificate, "--tls-key", key) as server:
        with pytest.raises(ConnectionError), Caller(server.url.replace("https", "http")) as caller:
            caller.call("GET", "/v2/health/live")
        assert _ask(server, _trusting(authority)) == 200

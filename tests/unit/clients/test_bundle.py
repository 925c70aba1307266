import ssl
from pathlib import Path

import certifi
import pytest
from cryptography.hazmat.primitives.serialization import pkcs12

from llmproxy_core.clients.authority import CERTIFICATE
from llmproxy_core.clients.bundle import ensure_bundle, ensure_java_truststore
from llmproxy_core.errors import ClientError
from llmproxy_core.home import Home
from llmproxy_core.simulator.certificate import write_certificates


@pytest.fixture
def home(tmp_path):
    (tmp_path / "home").mkdir()
    return Home(tmp_path / "home")


@pytest.fixture
def authority(tmp_path):
    def make(name):
        (tmp_path / name).mkdir()
        return write_certificates(tmp_path / name)[0]

    return make


def holds(bundle, file):
    essence = {"".join(found.split()) for found in CERTIFICATE.findall(bundle.read_text())}
    return all("".join(c.split()) in essence for c in CERTIFICATE.findall(file.read_text()))


def test_it_holds_the_usual_roots_and_ours(home, authority, tmp_path):
    ours = authority("ours")
    bundle = ensure_bundle(ours, home, {})
    assert holds(bundle, ours)
    assert holds(bundle, Path(certifi.where()))
    assert len(ssl.create_default_context(cafile=bundle).get_ca_certs()) > 100


def test_a_company_ca_that_the_user_named_stays(home, authority):
    ours, company = authority("ours"), authority("company")
    bundle = ensure_bundle(ours, home, {"REQUESTS_CA_BUNDLE": str(company)})
    assert holds(bundle, company)


def test_each_root_is_there_once(home, authority):
    ours = authority("ours")
    bundle = ensure_bundle(ours, home, {"SSL_CERT_FILE": certifi.where()})
    found = ["".join(c.split()) for c in CERTIFICATE.findall(bundle.read_text())]
    assert len(found) == len(set(found))


def test_it_follows_a_new_ca_and_is_else_left_alone(home, authority):
    first = ensure_bundle(authority("first"), home, {})
    before = first.stat().st_mtime_ns
    inside_run = {"SSL_CERT_FILE": str(first)}
    ours = home.path.parent / "first" / "ca.pem"
    assert ensure_bundle(ours, home, inside_run).stat().st_mtime_ns == before
    second = authority("second")
    bundle = ensure_bundle(second, home, inside_run)
    assert holds(bundle, second)
    assert not holds(bundle, ours)


def test_a_missing_ca_is_named(home, tmp_path):
    with pytest.raises(ClientError, match=r"nothing\.pem"):
        ensure_bundle(tmp_path / "nothing.pem", home, {})


@pytest.mark.filterwarnings("ignore:Parsed a serial number")
def test_java_gets_the_same_roots(home, authority):
    bundle = ensure_bundle(authority("ours"), home, {})
    truststore = ensure_java_truststore(bundle)
    found = pkcs12.load_pkcs12(truststore.read_bytes(), b"changeit").additional_certs
    assert abs(len(found) - len(CERTIFICATE.findall(bundle.read_text()))) <= 2
    assert ensure_java_truststore(bundle).stat().st_mtime == truststore.stat().st_mtime

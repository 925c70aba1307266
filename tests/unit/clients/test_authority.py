import os
import stat

import pytest
from mitmproxy.certs import CertStore

from llmproxy_core.clients.authority import ensure_authority
from llmproxy_core.errors import ClientError


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    confdir = tmp_path_factory.mktemp("home") / "not" / "there"
    return confdir, ensure_authority(confdir)


def test_mitmproxy_takes_the_authority_that_was_made(made):
    confdir, certificate = made
    store = CertStore.from_store(confdir, "mitmproxy", 2048)
    assert store.default_ca.to_pem() == certificate.read_bytes()


def test_it_is_made_once(made):
    confdir, certificate = made
    before = certificate.read_bytes()
    assert ensure_authority(confdir).read_bytes() == before
    assert sorted(os.listdir(confdir)) == [
        "mitmproxy-ca-cert.cer",
        "mitmproxy-ca-cert.p12",
        "mitmproxy-ca-cert.pem",
        "mitmproxy-ca.p12",
        "mitmproxy-ca.pem",
        "mitmproxy-dhparam.pem",
    ]


def test_its_key_is_private(made):
    confdir, _ = made
    assert stat.S_IMODE((confdir / "mitmproxy-ca.pem").stat().st_mode) == 0o600


def test_nobody_else_can_replace_the_certificate_whatever_the_umask(tmp_path):
    before = os.umask(0)
    try:
        certificate = ensure_authority(tmp_path / "confdir")
        certificate.unlink()
        ensure_authority(tmp_path / "confdir")
    finally:
        os.umask(before)

    for path in [tmp_path / "confdir", *(tmp_path / "confdir").iterdir()]:
        assert path.stat().st_mode & 0o022 == 0, path


def test_a_lost_certificate_is_taken_from_the_key_file(made, tmp_path):
    confdir, certificate = made
    (tmp_path / "mitmproxy-ca.pem").write_bytes((confdir / "mitmproxy-ca.pem").read_bytes())
    assert ensure_authority(tmp_path).read_text().split() == certificate.read_text().split()


def test_a_key_file_without_certificate_is_named(tmp_path):
    (tmp_path / "mitmproxy-ca.pem").write_text("nothing")
    with pytest.raises(ClientError, match=r"mitmproxy-ca\.pem: holds no certificate"):
        ensure_authority(tmp_path)


def test_a_confdir_that_cannot_be_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ClientError, match=r"proxy\.confdir"):
        ensure_authority(tmp_path / "file")

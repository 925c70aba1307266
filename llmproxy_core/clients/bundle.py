"""One file of all roots that the programs we start may need, and ours.

Most programs take one file *instead of* their own roots, so it holds certifi's roots, the
system's (a company's CA is often there), those the user has named, and our CA.
"""

import os
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import certifi

from llmproxy_core.clients.authority import CERTIFICATE
from llmproxy_core.errors import ClientError
from llmproxy_core.home import Home, write_private

NAMED_BY = (
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS",
    "AWS_CA_BUNDLE",
    "GIT_SSL_CAINFO",
)
SYSTEM = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu, Arch
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  # Fedora, RHEL
    "/etc/ssl/ca-bundle.pem",  # openSUSE
    "/etc/ssl/cert.pem",  # Alpine, macOS
)
JAVA_PASSWORD = "changeit"  # noqa: S105 - the JDK's own default; the file holds no secret


def ensure_bundle(ca_file: Path, home: Home, environ: Mapping[str, str] = os.environ) -> Path:
    """Write the bundle where it is missing or out of date; readable by all, it is no secret.

    Raises:
        ClientError: our CA cannot be read, or the bundle not be written.
    """
    try:
        wanted = "\n".join(_certificates(ca_file, home, environ)) + "\n"
        bundle = home.ca_bundle
        if not bundle.is_file() or bundle.read_text() != wanted:
            write_private(bundle, wanted.encode())
            bundle.chmod(0o644)
    except OSError as exc:
        raise ClientError(f"{exc.filename or home.ca_bundle}: {exc.strerror}") from exc
    return bundle


def ensure_java_truststore(bundle: Path) -> Path:
    """The bundle in the form that Java reads (PKCS #12), beside it."""
    truststore = bundle.with_suffix(".p12")
    if truststore.is_file() and truststore.stat().st_mtime >= bundle.stat().st_mtime:
        return truststore
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12

    entries = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of some old roots; they are not ours to judge
        for number, text in enumerate(CERTIFICATE.findall(bundle.read_text())):
            with suppress(ValueError):
                certificate = x509.load_pem_x509_certificate(text.encode())
                alias = f"llmproxy-{number}".encode()
                entries.append(pkcs12.PKCS12Certificate(certificate, alias))
    encryption = BestAvailableEncryption(JAVA_PASSWORD.encode())
    write_private(truststore, pkcs12.serialize_java_truststore(entries, encryption))
    truststore.chmod(0o644)
    return truststore


def _certificates(ca_file: Path, home: Home, environ: Mapping[str, str]) -> Iterator[str]:
    """Ours first, each once, comments left out."""
    seen = set()
    named = [environ[name] for name in NAMED_BY if environ.get(name)]
    files = [ca_file, Path(certifi.where()), *map(Path, SYSTEM), *map(Path, named)]
    for file in files:
        if file == home.ca_bundle or (file != ca_file and not file.is_file()):
            continue
        for certificate in CERTIFICATE.findall(file.read_text(errors="replace")):
            essence = re.sub(r"\s", "", certificate)
            if essence not in seen:
                seen.add(essence)
                yield certificate

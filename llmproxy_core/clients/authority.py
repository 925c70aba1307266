"""The certificate authority. It is mitmproxy's own, made at the proxy's first start.

Commands that need it before that start make it with mitmproxy's code in a process of its own: the
core does not import mitmproxy, and only mitmproxy knows which files it wants.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from llmproxy_core.errors import ClientError
from llmproxy_core.home import write_private

CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.S)
KEY_BITS = 2048  # mitmproxy's default
MAKE = """
import sys
from pathlib import Path
from mitmproxy.certs import CertStore
CertStore.create_store(Path(sys.argv[1]), "mitmproxy", int(sys.argv[2]))
"""


def ensure_authority(confdir: Path) -> Path:
    """The file with the CA's certificate, made where it is missing.

    Raises:
        ClientError: it cannot be made or read.
    """
    certificate, key = confdir / "mitmproxy-ca-cert.pem", confdir / "mitmproxy-ca.pem"
    if certificate.is_file():
        return certificate
    try:
        if not key.is_file():
            confdir.mkdir(mode=0o755, parents=True, exist_ok=True)
            _make(confdir)
        if not certificate.is_file():
            found = CERTIFICATE.search(key.read_text())
            if found is None:
                raise ClientError(f"{key}: holds no certificate; move it away to have one made")
            write_private(certificate, f"{found[0]}\n".encode())
            certificate.chmod(0o644)
    except OSError as exc:
        raise ClientError(
            f"{exc.filename or confdir}: {exc.strerror}. The CA is kept there; "
            "name another folder in proxy.confdir of mitm.toml."
        ) from exc
    return certificate


def _make(confdir: Path) -> None:
    """The link of the key decides, should a proxy be making the CA at the same time."""
    with tempfile.TemporaryDirectory(dir=confdir, prefix=".new-") as name:
        made = subprocess.run(
            [sys.executable, "-c", MAKE, name, str(KEY_BITS)],
            capture_output=True,
            text=True,
            check=False,
            umask=0o022,  # whoever can write the certificate can have another one trusted
        )
        if made.returncode:
            reason = (made.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise ClientError(f"mitmproxy could not make its CA in {confdir}: {reason}")
        folder = Path(name)
        with suppress(FileExistsError):
            os.link(folder / "mitmproxy-ca.pem", confdir / "mitmproxy-ca.pem")
            for file in folder.iterdir():
                if file.name != "mitmproxy-ca.pem":
                    shutil.move(file, confdir / file.name)

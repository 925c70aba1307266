"""The environment variables by which programs of any language use the proxy and trust its CA."""

import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from llmproxy_core.clients.bundle import JAVA_PASSWORD
from llmproxy_core.clients.endpoint import Endpoint

type Shell = Literal["sh", "fish", "powershell"]

PROXY = ("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy")
"""Some read only one spelling: curl takes `http_proxy` in lower case alone."""

BUNDLE = (
    "SSL_CERT_FILE",  # OpenSSL, Python's ssl and httpx, Go, Ruby, PHP, uv
    "REQUESTS_CA_BUNDLE",  # Python's requests
    "CURL_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS",
    "CODEX_CA_CERTIFICATE",
    "AWS_CA_BUNDLE",  # boto3 and the AWS CLI
    "GIT_SSL_CAINFO",
    "DENO_CERT",
    "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",  # Google's clients over gRPC
)


def variables(proxy: Endpoint, bundle: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """What to set on top of `environ`.

    NO_PROXY stays as the user has it: without one, calls to a model server on this machine go
    through the proxy, too, which is wanted.
    """
    wanted = dict.fromkeys(PROXY, proxy.url) | dict.fromkeys(BUNDLE, str(bundle))
    wanted["NODE_USE_ENV_PROXY"] = "1"
    for name, other in (("NO_PROXY", "no_proxy"), ("no_proxy", "NO_PROXY")):
        if environ.get(name) and not environ.get(other):
            wanted[other] = environ[name]
    return wanted


def java_variables(proxy: Endpoint, truststore: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """JAVA_TOOL_OPTIONS. Apart from the others: every JVM prints it to stderr as it starts."""
    options = {"javax.net.ssl.trustStore": str(truststore)}
    options["javax.net.ssl.trustStoreType"] = "PKCS12"
    options["javax.net.ssl.trustStorePassword"] = JAVA_PASSWORD
    for scheme in ("http", "https"):
        options[f"{scheme}.proxyHost"] = proxy.host
        options[f"{scheme}.proxyPort"] = str(proxy.port)
    options["http.nonProxyHosts"] = ""  # Java leaves localhost out unless told not to
    flags = " ".join(f'"-D{k}={v}"' if " " in v else f"-D{k}={v}" for k, v in options.items())
    return {"JAVA_TOOL_OPTIONS": f"{environ.get('JAVA_TOOL_OPTIONS', '')} {flags}".strip()}


def script(wanted: Mapping[str, str], shell: Shell) -> str:
    """Lines for `eval "$(llmproxy env)"` and its kin."""
    return "".join(f"{_line(name, value, shell)}\n" for name, value in wanted.items())


def _line(name: str, value: str, shell: Shell) -> str:
    match shell:
        case "sh":
            return f"export {name}={shlex.quote(value)}"
        case "fish":
            quoted = value.replace("\\", "\\\\").replace("'", "\\'")
            return f"set -gx {name} '{quoted}';"
        case "powershell":
            # PowerShell takes typographic quotes for quotes, too; a line is a command of its own
            quoted = re.sub("['\u2018\u2019\u201a\u201b]", r"\g<0>\g<0>", value)
            quoted = re.sub(r"[\r\n]", lambda end: f"'+[char]{ord(end[0])}+'", quoted)
            return f"$env:{name} = '{quoted}'"

"""The way to a receiver: one POST, straight, and never through a proxy, which may be our own."""

import ssl
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from time import time

import certifi
import httpx

SECONDS = 10.0
READ = 2000
"""Bytes of an answer that are looked at."""
SHOWN = 200
LONGEST_WAIT = 86_400.0


@dataclass(frozen=True, slots=True)
class Reply:
    """`status` 0: there was none. `said`: for people, in a line. `wait`: seconds, as it was told."""

    status: int
    said: str
    wait: float = 0.0

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def final(self) -> bool:
        """Is it useless to try again? 410: the receiver is gone, and says so."""
        return self.status == 410


class Line:
    """Certificates must be those of the public authorities, or of the machine's (SSL_CERT_FILE)."""

    def __init__(self) -> None:
        trusted = ssl.create_default_context(cafile=certifi.where())
        trusted.load_default_certs()
        self._http = httpx.Client(
            trust_env=False, follow_redirects=False, timeout=SECONDS, verify=trusted
        )

    def send(self, url: str, headers: dict[str, str], body: bytes) -> Reply:
        """Raises nothing."""
        sent = {"content-type": "application/json", "user-agent": "llmproxy", **headers}
        try:
            with self._http.stream("POST", url, headers=sent, content=body) as answer:
                said = b""
                for part in answer.iter_bytes(READ):
                    said += part
                    if len(said) >= READ:
                        break
                return Reply(answer.status_code, _line(answer, said), _wait(answer))
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, ValueError) as exc:
            return Reply(0, f"no answer ({type(exc).__name__})")

    def close(self) -> None:
        self._http.close()


def _line(answer: httpx.Response, said: bytes) -> str:
    words = " ".join(said.decode("utf-8", "replace").split())[:SHOWN]
    shown = "".join(char if char.isprintable() else "?" for char in words)
    return f"HTTP {answer.status_code}" + (f": {shown}" if shown else "")


def _wait(answer: httpx.Response) -> float:
    told = answer.headers.get("retry-after", "")
    try:
        seconds = float(told)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(told).timestamp() - time()
        except (ValueError, TypeError):
            return 0.0
    return min(max(0.0, seconds), LONGEST_WAIT) if seconds == seconds else 0.0

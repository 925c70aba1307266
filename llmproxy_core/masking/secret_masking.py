"""What masks secrets, in all that a process writes: it is made once, as patterns take a while."""

from collections.abc import Iterable
from threading import Lock

from llmproxy_core.anomaly.secrets.detector import Secrets
from llmproxy_core.masking.body_masking import BodyMasker, MaskedBody
from llmproxy_core.masking.masker import Masker, Secret
from llmproxy_core.masking.raw_secrets import RawSecrets
from llmproxy_core.masking.shapes import Shapes
from llmproxy_core.masking.stream_masking import StreamMasker
from llmproxy_core.masking.streamed_secrets import StreamedSecrets

SHORTENED = "…"
"""Where mitmproxy leaves out the rest of an address."""


LARGE = 2**18
"""Bytes of a request that may be masked in a thread."""


class SecretMasking:
    """`bodies`: of requests, and of answers that are one document."""

    def __init__(self, detector: Secrets, masker: Masker) -> None:
        self._masker = masker
        self._raw = RawSecrets(detector)
        self._find = StreamedSecrets(detector)
        self._shapes = Shapes()
        self.bodies = BodyMasker(self._raw, masker)
        self._large = BodyMasker(self._raw, masker)
        self._lock = Lock()

    def stream(self, known: Iterable[Secret] = ()) -> StreamMasker:
        """`known`: secrets that are masked, too."""
        return StreamMasker(self._find, self._masker, tuple(known), self._raw, self._shapes)

    def request(
        self, body: bytes, also: Iterable[Secret] = (), *, cut: bool = False, coded: bool = False
    ) -> MaskedBody:
        """One without content codings. Of what is LARGE, or was `coded`, any thread may ask: that
        has a memory of its own."""
        if len(body) < LARGE and not coded:
            return self.bodies.masked(body, also, cut=cut)
        with self._lock:
            return self._large.masked(body, also, cut=cut)

    def whole(self, data: bytes, *, cut: bool = False) -> tuple[bytes, int]:
        """Bytes of any kind, masked, and how many marks are in them. `cut`: they break off."""
        return self._masker.counted(data, self._raw.find(data, cut=cut))

    def line(self, text: str) -> str:
        """A text of one line or a few, such as a log record, in which texts may be shortened."""
        *cut, last = text.split(SHORTENED)
        return SHORTENED.join([*(self._line(one, cut=True) for one in cut), self._line(last)])

    def _line(self, text: str, *, cut: bool = False) -> str:
        data = text.encode("utf-8", "surrogatepass")
        masked, count = self.whole(data, cut=cut)
        return masked.decode("utf-8", "surrogatepass") if count else text

"""The keeper of calls as a rule: secrets are masked in all that is written, all else is kept."""

from collections.abc import Iterable

from llmproxy_core.masking.answer_masking import AnswerMasker, FrameMasker
from llmproxy_core.masking.body_masking import MOST, MaskedBody
from llmproxy_core.masking.coded import CodedMasker
from llmproxy_core.masking.masker import Secret
from llmproxy_core.masking.secret_masking import SecretMasking
from llmproxy_core.masking.socket_frames import content_of, with_content
from llmproxy_core.model import Headers, header
from llmproxy_core.providers.encoding import GZIP, ZSTD
from llmproxy_core.providers.recoding import decode_whole, encode_whole


class Masked:
    """A `Keeper`. `fault`: what was wrong here; of that call nothing more is written."""

    skeleton = False

    def __init__(self, tools: SecretMasking, also: Iterable[Secret] = ()) -> None:
        self._tools = tools
        self._known = dict.fromkeys(also)
        self._headers: Headers = []
        self._answer: CodedMasker | FrameMasker | None = None
        self._asked = 0
        self._answered = 0
        self.again = False
        self.fault: Exception | None = None

    @property
    def masked(self) -> int:
        now = self._answer.masked if self._answer else 0
        return self._asked + self._answered + now

    def frames(self) -> "Masked":
        return MaskedFrames(self._tools, self._known)

    def also(self, secrets: Iterable[Secret]) -> None:
        self._known |= dict.fromkeys(secrets)

    def request(self, headers: Headers, body: bytes, *, cut: bool = False) -> bytes:
        try:
            return self._request(headers, body, cut)
        except Exception as exc:  # noqa: BLE001  fails closed: what cannot be masked is not written
            self.fault = exc
            return b""

    def answer(self, status: int, headers: Headers) -> None:
        self._answered, self._answer = self.masked - self._asked, None
        self._headers = headers

    def feed(self, chunk: bytes) -> bytes:
        return self._guarded(chunk, None)

    def finish(self, *, complete: bool) -> bytes:
        return self._guarded(b"", complete)

    def _request(self, headers: Headers, body: bytes, cut: bool) -> bytes:
        coded = header(headers, "content-encoding") or body.startswith((GZIP, ZSTD))
        plain = decode_whole(headers, body) if coded else body
        if plain is None:
            return b""
        out = self._masked(plain, cut, coded=bool(coded))
        self._asked += out.masked
        if out.body is plain and not (coded and self._behind(plain, body)):
            return body
        return encode_whole(headers, out.body, body) if coded else out.body

    def _behind(self, plain: bytes, body: bytes) -> bool:
        """Is there a secret in the bytes behind the end of what is coded, which nobody decodes?"""
        if body == plain:
            return False
        behind = self._tools.request(body, self._known, coded=True).masked
        self._asked += behind
        return behind > 0

    def _masked(self, plain: bytes, cut: bool, *, coded: bool = False) -> MaskedBody:
        out = self._tools.request(plain, self._known, cut=cut, coded=coded)
        if len(self._known) < MOST:
            self._known |= dict.fromkeys(out.secrets)
        return out

    def _guarded(self, chunk: bytes, complete: bool | None) -> bytes:
        self.again = False
        if self.fault is not None:
            return b""
        try:
            if self._answer is None:
                self._answer = self._begun()
            out = self._answer.feed(chunk) if complete is None else self._finished(complete)
            self.again = isinstance(self._answer, CodedMasker) and self._answer.again
            return out
        except Exception as exc:  # noqa: BLE001  as above
            self.fault = exc
            return b""

    def _begun(self) -> CodedMasker | FrameMasker:
        plain = AnswerMasker(self._tools, tuple(self._known), self._headers)
        return CodedMasker(self._headers, plain)

    def _finished(self, complete: bool) -> bytes:
        if isinstance(self._answer, CodedMasker):
            return self._answer.finish(complete=complete)
        return self._answer.finish(cut_off=not complete) if self._answer else b""


class MaskedFrames(Masked):
    """Of a WebSocket: one call after the other, and what was secret in one is so in the next."""

    def _request(self, headers: Headers, body: bytes, cut: bool) -> bytes:
        lines = body.splitlines(keepends=True)
        contents = [content_of(line) for line in lines]
        masked = [self._masked(one, False) for one in contents]
        if self._known:  # what a later frame tells may be in an earlier one
            masked = [self._masked(one, False) for one in contents]
        written = [
            with_content(line, out.body) + b"\n" if out.masked else line
            for line, out in zip(lines, masked, strict=True)
        ]
        self._asked += sum(out.masked for out in masked)
        return b"".join(written[:-1] if cut else written)

    def _begun(self) -> FrameMasker:
        return FrameMasker(self._tools.stream(self._known))

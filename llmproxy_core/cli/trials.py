"""The calls of a file, each tried in the namespace that it would be in."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from llmproxy_core.config import Config
from llmproxy_core.credentials import Scrubber
from llmproxy_core.errors import InterchangeError
from llmproxy_core.home import Home
from llmproxy_core.interchange.incoming.exchange import Exchanges
from llmproxy_core.interchange.incoming.kinds import READERS, kind_of
from llmproxy_core.interchange.incoming.recording import Recording, Skipped
from llmproxy_core.interchange.incoming.source import opened
from llmproxy_core.interchange.outgoing.texts import dumps
from llmproxy_core.model import Headers, mapping
from llmproxy_core.namespace import facts
from llmproxy_core.namespace.answer import restoring
from llmproxy_core.namespace.caller import Caller
from llmproxy_core.namespace.folders import Folders
from llmproxy_core.namespace.incoming import changed
from llmproxy_core.namespace.names import Naming
from llmproxy_core.namespace.outgoing import strip_request
from llmproxy_core.namespace.places.formats import PLACES
from llmproxy_core.namespace.request import Call
from llmproxy_core.namespace.rules import Namespace, Rules
from llmproxy_core.namespace.trial import Trial, trial
from llmproxy_core.providers.frames import FRAMED, payload
from llmproxy_core.providers.parsing import parse
from llmproxy_core.providers.recoding import decode_whole
from llmproxy_core.providers.recognise import Recogniser
from llmproxy_core.records import Opened

MOST_BYTES = 64 * 2**20
PROVIDERS = {"gemini": "google"}


@dataclass(frozen=True, slots=True)
class Tried:
    """`place`: where in the file it stands. `bytes`: of the client's request."""

    place: str
    wire: str
    namespace: Namespace
    bytes: int
    trial: Trial

    def facts(self) -> dict[str, Any]:
        done = self.trial.sent
        return {
            "place": self.place,
            "wire": self.wire,
            "namespace": self.namespace.name,
            "prefix": done.prefix,
            "left_alone": done.left_alone,
            "refused": done.refused,
            "names": [{"client": name, "sent": sent} for name, sent in self.trial.names],
            "request_bytes": self.bytes,
            "answer_bytes": self.trial.answered,
            "lost": self.trial.lost,
        }


class Trials:
    """`named`: the namespace, whatever the rules say. `user`, `client` and `headers` are added to
    what a file says of its calls. `problems`: what in it could not be read."""

    def __init__(
        self,
        config: Config,
        home: Home,
        rules: Rules,
        named: str | None,
        user: str | None,
        client: str,
        headers: Headers,
    ) -> None:
        """Raises InterchangeError where there is no rule for the namespace that is `named`."""
        self.problems: list[str] = []
        self._config, self._home, self._rules = config, home, rules
        self._folders = Folders()
        self._user, self._client, self._headers = user, client, headers
        self._named = self._find(named) if named else None

    def body(self, name: str, wire: str, provider: str) -> Iterator[Tried]:
        """The file is one body. Raises InterchangeError."""
        if wire not in PLACES:
            raise InterchangeError(f"--wire {wire}: known are {', '.join(sorted(PLACES))}")
        with opened(name) as source:
            body = b"".join(source.blocks())
        maker = wire.partition(".")[0]
        call = Call(provider or PROVIDERS.get(maker, maker), wire, "/", [], body)
        yield self._try(name, call, None, None)

    def file(self, name: str) -> Iterator[Tried]:
        """The calls of a file. Raises InterchangeError."""
        scrubber = Scrubber(self._home.fingerprint_key())
        recogniser = Recogniser(self._config.providers)
        with opened(name) as source:
            exchanges = Exchanges(scrubber, recogniser, "default", source.modified_at)
            for found in READERS[kind_of(source)](source):
                made = found if isinstance(found, Skipped) else exchanges.record(found)
                if isinstance(made, Skipped):
                    if made.damaged:
                        self.problems.append(f"{name}, {made.place}: {made.reason}")
                elif isinstance(found, Recording):
                    yield self._recorded(found, made[0].opened)

    def _recorded(self, found: Recording, record: Opened) -> Tried:
        """The client's side of it: what was stored with a prefix is had without."""
        headers, body = found.request_headers, found.request_body or b""
        answer = found.response_body or b""
        naming = Naming(found.prefix, shortened=found.shortened)
        if found.prefix and record.wire in FRAMED:
            body, answer = (_unprefixed(one, record.wire, naming) for one in (body, answer))
        elif found.prefix:
            body = strip_request(record.wire, decode_whole(headers, body) or body, naming)
            answer = decode_whole(found.response_headers, answer) or answer
            answer = restoring(record.wire, naming, _plain(found.response_headers)).whole(answer)
            headers = _plain(headers)
        call = Call(record.provider, record.wire, record.path, headers, body)
        told = (_plain(found.response_headers) if found.prefix else found.response_headers, answer)
        return self._try(found.place, call, record, told if answer else None)

    def _try(
        self, place: str, call: Call, record: Opened | None, answer: tuple[Headers, bytes] | None
    ) -> Tried:
        namespace = self._named or self._rules.find(self._caller(call, record))
        done = trial(call, namespace, self._config.capture.max_body, answer)
        return Tried(place, call.wire, namespace, len(call.body), done)

    def _caller(self, call: Call, record: Opened | None) -> Caller:
        body = decode_whole(call.headers, call.body) or b""
        if call.wire in FRAMED:  # the handshake decides, which says nothing of what follows
            body = b""
        key = record.credential if record else None
        return Caller(
            proxy_user=self._user,
            client=self._client or (record.client if record else ""),
            headers=[*call.headers, *self._headers],
            key=key,
            provider=call.provider,
            model=facts.model(call.path, body),
            sessions=self._folders.sessions((self._user, key), call.headers, body),
        )

    def _find(self, name: str) -> Namespace:
        found = next((one for one in self._rules.namespaces if one.name == name), None)
        if found is None:
            known = ", ".join(one.name for one in self._rules.namespaces) or "there are none"
            raise InterchangeError(f"--ns {name}: it has no rule; those that have: {known}")
        return found


def _unprefixed(body: bytes, wire: str, naming: Naming) -> bytes:
    """Frames as the client has them, in lines as they are stored."""
    lines = []
    for line in body.split(b"\n"):
        if not line:
            continue
        frame = dict(mapping(parse(line)[0]))
        said = payload(frame)
        ours = strip_request(wire, said, naming)
        if frame.get("from") == "server":
            ours = changed(said, wire, naming)
        frame |= {"type": "text", "data": ours.decode("utf-8", "replace")}
        lines.append(dumps(frame))
    return b"\n".join(lines)


def _plain(headers: Headers) -> Headers:
    return [pair for pair in headers if pair[0].lower() != "content-encoding"]

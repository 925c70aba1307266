"""What the stream's masking asks for: secrets of a text, also one that the text breaks off in."""

from llmproxy_core.anomaly.finding import Text
from llmproxy_core.anomaly.secrets.cut_off import cut_off
from llmproxy_core.anomaly.secrets.detector import Secrets
from llmproxy_core.masking.channel import Found
from llmproxy_core.masking.masker import label


class StreamedSecrets:
    """A `channel.Find`."""

    def __init__(self, detector: Secrets) -> None:
        self._detector = detector

    def __call__(self, text: str, may_be_cut: bool) -> list[Found]:
        found = [Found(one.start, one.end, label(one)) for one in self._detector.find(Text(text))]
        if may_be_cut:
            data = text.encode("utf-8", "surrogatepass")
            start = cut_off(data)
            if start is not None:
                at = len(data[:start].decode("utf-8", "surrogatepass"))
                found.append(Found(at, len(text), "secret:cut-off"))
        return found

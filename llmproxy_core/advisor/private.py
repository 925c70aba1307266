"""What the advisor is not shown: secrets, and numbers and addresses of persons. Marks stand there."""

from llmproxy_core.anomaly.detectors import SECRETS
from llmproxy_core.anomaly.finding import Text
from llmproxy_core.anomaly.pii.detector import Pii
from llmproxy_core.masking.masker import Masker

PII = Pii()


class Private:
    """A `Mask` of the advisor. Equal values have equal marks."""

    def __init__(self, masker: Masker) -> None:
        self._masker = masker

    def __call__(self, text: str) -> str:
        said = Text(text)
        return self._masker.text(text, [*SECRETS.find(said), *PII.find(said)])

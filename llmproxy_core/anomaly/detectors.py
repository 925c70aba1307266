"""The register of detectors. A new one is a file and a line here."""

from llmproxy_core.anomaly.dangerous_tools import DangerousTools
from llmproxy_core.anomaly.exfiltration import Exfiltration
from llmproxy_core.anomaly.finding import Detector
from llmproxy_core.anomaly.hidden_text import HiddenText
from llmproxy_core.anomaly.injection import Injection
from llmproxy_core.anomaly.pii.detector import Pii
from llmproxy_core.anomaly.secrets.detector import Secrets

SECRETS = Secrets()
DETECTORS: tuple[Detector, ...] = (
    SECRETS,
    Pii(),
    Injection(),
    Exfiltration(SECRETS),
    HiddenText(),
    DangerousTools(),
)
"""In the order in which findings on the same characters are told."""

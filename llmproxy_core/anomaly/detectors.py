"""The register of detectors. A new one is a file and a line here."""

from llmproxy_core.anomaly.finding import Detector
from llmproxy_core.anomaly.injection import Injection
from llmproxy_core.anomaly.pii.detector import Pii
from llmproxy_core.anomaly.secrets.detector import Secrets

DETECTORS: tuple[Detector, ...] = (
    Secrets(),
    Pii(),
    Injection(),
)
"""In the order in which findings on the same characters are told."""

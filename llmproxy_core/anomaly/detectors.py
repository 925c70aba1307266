"""The register of detectors. A new one is a file and a line here."""

from collections.abc import Collection

from llmproxy_core.anomaly.dangerous_tools import DangerousTools
from llmproxy_core.anomaly.exfiltration import Exfiltration
from llmproxy_core.anomaly.finding import Detector, Family
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
FAMILIES: dict[str, frozenset[Family]] = {
    "secrets": frozenset({"secret"}),
    "pii": frozenset({"pii"}),
    "injection": frozenset({"injection", "indirect_injection", "jailbreak"}),
    "exfiltration": frozenset({"exfiltration"}),
    "hidden_text": frozenset({"hidden_text"}),
    "dangerous_tools": frozenset({"dangerous_tool"}),
}
"""What each may find."""


def finding(families: Collection[str]) -> frozenset[str]:
    """Names of the detectors that may find something of these families."""
    return frozenset(name for name, found in FAMILIES.items() if not found.isdisjoint(families))

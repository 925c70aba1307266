"""The addons of llmproxy, in the order in which mitmproxy asks them.

One feature a file; they meet on the flow and never call each other. An addon to be added goes
into the list, at the place in the order where its work belongs.
"""

from addons.anomaly import Anomaly
from addons.approvals import Approvals
from addons.caller import Caller
from addons.capture import Capture
from addons.dispatch import Dispatch
from addons.edits import Edits
from addons.enhance import Enhance
from addons.hindsight import Hindsight
from addons.limits import Limits
from addons.login import Login
from addons.namespace import Namespace
from addons.passthrough import Passthrough
from addons.persist import Persist
from addons.policies import Policies
from addons.settings import Settings
from addons.tool_calls import ToolCalls
from addons.trailers import Trailers

addons = [
    Login(),
    Settings(),
    Dispatch(),
    Trailers(),
    Passthrough(),
    Capture(),
    Caller(),
    Anomaly(),
    Enhance(),
    Policies(),
    Edits(),
    Hindsight(),
    Limits(),
    Namespace(),
    ToolCalls(),
    Persist(),
    Approvals(),
]

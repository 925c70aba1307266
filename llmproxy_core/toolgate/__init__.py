"""Calls of tools in an answer: held until they are complete and judged, then let go or replaced."""

from llmproxy_core.toolgate.call import Call
from llmproxy_core.toolgate.formats import FORMATS
from llmproxy_core.toolgate.frames import FrameGate
from llmproxy_core.toolgate.gate import Judge
from llmproxy_core.toolgate.stage import ToolGate
from llmproxy_core.toolgate.unanswered import Unanswered

__all__ = ["FORMATS", "Call", "FrameGate", "Judge", "ToolGate", "Unanswered"]

"""Bodies of a call as files."""

from pathlib import Path

from llmproxy_core.home import write_private
from llmproxy_core.store.flows import FlowDetail


def save_bodies(detail: FlowDetail, folder: Path) -> list[Path]:
    """Write the bodies byte for byte, readable by their owner only; raises OSError."""
    bodies = [("request", detail.request.body)]
    if detail.response is not None:
        bodies.append(("response", detail.response.body))
    files = [folder / f"{detail.flow.id}.{name}" for name, _ in bodies]
    for file, (_, body) in zip(files, bodies, strict=True):
        write_private(file, body)
    return files

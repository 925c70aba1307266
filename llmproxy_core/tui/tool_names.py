"""Names of tools with the prefix of their namespace, and what became of it, for people."""

from llmproxy_core.namespace.client_names import ClientNames
from llmproxy_core.store.flows import Flow
from llmproxy_core.tui import plain

DEFAULT_NAMESPACE = "default"
REASONS = {
    "signed": "its body is signed, a change would be refused",
    "too_large": "its body is larger than capture.max_body",
    "unreadable": "its body is of a format that is not read, or broken",
    "coding": "its body is packed in a way that cannot be undone",
    "elsewhere": "tools of it are declared elsewhere: in a cache or a stored prompt",
    "began_without": "its conversation began without the prefix",
    "strange_name": "a tool has a name that no provider takes",
    "collision": "two tools would have had the same name",
    "forbidden_prefix": "this provider takes no name that begins with the prefix",
    "too_long": "a tool's name has no room for the prefix",
}


def both(name: str, names: ClientNames) -> str:
    """`search (sent as pay__search)`"""
    client = names.of(name)
    return client if client == name else f"{client} (sent as {name})"


def sentence(flow: Flow) -> str:
    """`Namespace payments · prefix pay__`; empty of the default one, where nothing was done."""
    if flow.namespace == DEFAULT_NAMESPACE and not (flow.namespace_prefix or flow.left_alone):
        return ""
    said = [f"Namespace {plain.line(flow.namespace)}"]
    if flow.namespace_prefix:
        said.append(f"prefix {plain.line(flow.namespace_prefix)}")
    if flow.left_alone:
        why = REASONS.get(flow.left_alone, plain.line(flow.left_alone))
        what = "not before all names" if flow.namespace_prefix else "names of tools left alone"
        said.append(f"{what}: {why}")
    return " · ".join(said)

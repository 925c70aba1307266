import pytest

from llmproxy_core.namespace.opening import has_signatures


@pytest.mark.parametrize(
    ("body", "signed"),
    [
        (b'{"type":"thinking","thinking":"","signature":"abc"}', True),
        (b'{"functionCall":{},"thoughtSignature":"abc"}', True),
        (b'{"thought_signature": "abc"}', True),
        (b'{"type":"reasoning","encrypted_content":"abc"}', True),
        (b'{"include":["reasoning.encrypted_content"],"input":[]}', False),
        (b"{}", False),
    ],
)
def test_what_a_provider_has_signed_is_known_by_its_keys(body, signed):
    """Codex asks for signed thoughts in its first request, which has none."""
    assert has_signatures(body) is signed

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.anomaly.reading.urls import urls


@pytest.mark.parametrize(
    ("text", "standing"),
    [
        ("![a](https://x.io/p)", "image"),
        ("[a](https://x.io/p)", "link"),
        ("![a][1]\n\n[1]: https://x.io/p", "image"),
        ("[a][1]\n\n[1]: https://x.io/p", "link"),
        ('<img width=1 src="https://x.io/p">', "image"),
        ("<a href='https://x.io/p'>", "link"),
        ("background: url(https://x.io/p)", "image"),
        ("fetch('https://x.io/p')", "request"),
        ("curl -s https://x.io/p", "request"),
        ('{"url": "https://x.io/p"}', "argument"),
        ("see https://x.io/p.", "bare"),
        ("![a](//x.io/p)", "image"),
    ],
)
def test_how_an_address_stands(text, standing):
    [url] = urls(text)
    assert (url.standing, url.host, url.path) == (standing, "x.io", "/p")
    assert text[url.start : url.end].endswith("x.io/p")


def test_everything_that_can_carry_data_is_a_piece():
    [url] = urls("https://me:pw@a.x.io:8080/b/c.png?d=1&e=%20f#g=h")
    assert (url.host, url.port) == ("a.x.io", "8080")
    assert [(piece.place, piece.name, piece.value) for piece in url.pieces()] == [
        ("login", "", "me:pw"),
        ("host", "", "a.x.io"),
        ("path", "", "b"),
        ("path", "", "c.png"),
        ("query", "d", "1"),
        ("query", "e", "%20f"),
        ("fragment", "g", "h"),
    ]


def test_gaps_with_blanks_belong_to_the_address():
    [url] = urls("![a](https://x.io/?q=<the user's name>&r={{ secret }}) b")
    assert url.text == "https://x.io/?q=<the user's name>&r={{ secret }}"


@given(st.text("ab:/.?=&#<>()[]{}\"'! \nñ\u0430htps", max_size=120))
def test_addresses_lie_in_the_text_in_order(text):
    at = 0
    for url in urls(text):
        assert at <= url.start <= url.end <= len(text)
        at = url.end

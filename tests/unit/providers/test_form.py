from hypothesis import given
from hypothesis import strategies as st

from llmproxy_core.providers.form import MOST, is_form, read_form
from tests.unit.providers.samples_plain import form

names = st.text(st.characters(codec="ascii", exclude_characters='"\r\n\\;'), min_size=1, max_size=9)


def test_fields_are_texts_and_files_are_told() -> None:
    body = form(
        ("model", "", b"m"), ("file", "a.wav", b"\x00\r\n--\xff"), ("note", "", b"\xc3\xbc")
    )
    assert is_form(body)
    assert read_form(body) == (
        {
            "model": "m",
            "file": {"filename": "a.wav", "type": "audio/wav", "size": 6},
            "note": "ü",
        },
        None,
    )


def test_a_name_that_comes_again_makes_a_list() -> None:
    fields, _ = read_form(
        form(("image[]", "a.png", b"1"), ("image[]", "b.png", b"2"), ("n", "", b""))
    )
    assert [image["filename"] for image in fields["image[]"]] == ["a.png", "b.png"]  # type: ignore[union-attr, index, call-overload]
    assert fields["n"] == ""


def test_a_form_that_ends_early_keeps_what_came() -> None:
    body = form(("model", "", b"m"), ("file", "a.wav", b"x" * 99))
    assert read_form(body[:-60]) == ({"model": "m"}, "the form ends early")


def test_a_form_has_an_end() -> None:
    fields, problem = read_form(form(*[("a", "", b"")] * (MOST + 5)))
    assert problem == f"the form has more than {MOST} parts"
    assert fields["a"] == [""] * MOST


@given(
    st.lists(
        st.tuples(names, st.just(""), st.binary(max_size=50)), max_size=8, unique_by=lambda p: p[0]
    )
)
def test_what_is_written_is_read(parts: list[tuple[str, str, bytes]]) -> None:
    kept = [part for part in parts if b"\n--xyz" not in part[2]]
    fields, problem = read_form(form(*kept))
    assert problem is None or not kept
    assert fields == {name: content.decode("utf-8", "replace") for name, _, content in kept}


@given(st.binary(max_size=400))
def test_any_bytes_are_survived(data: bytes) -> None:
    read_form(b"--" + data)
    read_form(b'--x\r\nContent-Disposition: form-data; name="a"\r\n' + data + b"\r\n--x--")

from pathlib import Path

import argon2
import bcrypt
import pytest

from llmproxy_core import passwords
from llmproxy_core.errors import ConfigError
from llmproxy_core.passwords import PLAIN, holds

BCRYPT = bcrypt.hashpw(b"secret", b"$2b$04$" + b"u" * 22).decode()
ARGON2 = argon2.PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash(
    "secret", salt=b"always the same "
)
"""With salts of their own, so that tests have the same names in each process."""
SHA1 = "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ="
KINDS = [BCRYPT, BCRYPT.replace("$2b$", "$2y$"), ARGON2, SHA1, PLAIN + "secret"]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "htpasswd"


@pytest.mark.parametrize("hash", KINDS)
def test_a_hash_knows_its_password(hash):
    assert holds("secret", hash)


@pytest.mark.parametrize("hash", KINDS)
@pytest.mark.parametrize("password", ["Secret", "secret ", "", "\ud800", "a\0b", "x" * 100])
def test_a_hash_knows_no_other_password(hash, password):
    assert not holds(password, hash)


def test_bcrypt_looks_at_72_bytes_as_apache_does():
    hash = bcrypt.hashpw(b"x" * 72, bcrypt.gensalt(4)).decode()

    assert holds("x" * 80, hash)
    assert not holds("x" * 71, hash)


@pytest.mark.parametrize(
    "hash", ["", "secret", BCRYPT[:-1], ARGON2[:-30], "{SHA}", "$2b$04$" + "a" * 53, "$argon2id$"]
)
def test_what_is_no_hash_holds_no_password(hash):
    assert not holds("secret", hash)


def test_a_file_is_read_line_by_line(file):
    file.write_text(f"# users\n\n  anna:{BCRYPT}  \r\nben:{ARGON2}:Ben\n")

    assert passwords.read(file) == {"anna": BCRYPT, "ben": ARGON2}


def test_weak_hashes_are_known():
    assert passwords.weak({"anna": BCRYPT, "ben": ARGON2, "old": SHA1}) == ["old"]


def test_an_old_hash_of_argon2_does_not_tell_its_version(file):
    old = argon2.low_level.hash_secret(b"secret", b"salt" * 4, 1, 64, 1, 16, argon2.Type.I, 16)
    hash = old.decode().replace("$v=16", "")
    file.write_text(f"anna:{hash}\n")

    assert passwords.read(file) == {"anna": hash}
    assert holds("secret", hash)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("anna", "line 2: not a line `user:hash`"),
        (":x", "line 2: not a line `user:hash`"),
        ("an\x1bna:x", "line 2: the user's name has control characters"),
        (f"ben:{BCRYPT}", "line 2: 'ben' is there twice"),
        ("anna:hunter2", "line 2: the hash of 'anna' is neither bcrypt nor Argon2 (cut off"),
        ("anna:$apr1$hunter2$x", "(MD5): make it anew with `htpasswd -B FILE anna`"),
        ("anna:$6$hunter2$x", "(SHA-512): make"),
        (f"anna:{PLAIN}hunter2", "plain text"),
        (f"anna:{ARGON2.replace('m=64', 'm=4194304')}", "takes 4194304 KiB and 1 passes; at most"),
        (f"anna:{ARGON2.replace('t=1', 't=100000')}", "takes 64 KiB and 100000 passes; at most"),
    ],
)
def test_a_line_that_cannot_be_used_is_named_without_its_hash(file, line, told):
    file.write_text(f"ben:{BCRYPT}\n{line}\n")

    with pytest.raises(ConfigError) as raised:
        passwords.read(file)
    message = str(raised.value)
    assert message.startswith(str(file))
    assert told in message
    assert message.isprintable()
    assert "hunter2" not in message


def test_a_file_that_is_not_utf8_is_named(file):
    file.write_bytes(b"\xff:x")

    with pytest.raises(ConfigError, match="htpasswd is not UTF-8"):
        passwords.read(file)

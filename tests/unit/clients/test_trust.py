import pytest

from llmproxy_core.clients.trust import (
    STORES,
    FolderStore,
    MacStore,
    carry_out,
    commands_by_hand,
)
from llmproxy_core.errors import ClientError

pytestmark = pytest.mark.system


@pytest.fixture
def store(tmp_path):
    (tmp_path / "anchors").mkdir()
    refresh = ("cp", "-r", str(tmp_path / "anchors"), str(tmp_path / "seen"))
    return FolderStore("test", tmp_path / "anchors", ".crt", refresh)


@pytest.fixture
def ca_file(tmp_path):
    file = tmp_path / "ca.pem"
    file.write_text("certificate")
    return file


def test_the_certificate_is_in_the_folder_when_the_system_reads_it(store, ca_file, tmp_path):
    carry_out(store.install(ca_file))
    assert (tmp_path / "seen" / store.file.name).read_text() == "certificate"


def test_it_is_gone_after_uninstall(store, ca_file):
    carry_out(store.install(ca_file))
    carry_out(store.uninstall(ca_file))
    assert not store.file.exists()


def test_without_the_right_to_write_the_sudo_commands_are_told(store, ca_file):
    store.folder.rmdir()
    with pytest.raises(ClientError, match=r"Run: sudo install -m 644 .*ca\.pem .* && sudo cp"):
        carry_out(store.install(ca_file))


def test_a_missing_command_is_named(ca_file):
    with pytest.raises(ClientError, match="no-such-command"):
        carry_out([["no-such-command"]])


def test_commands_can_be_pasted():
    assert commands_by_hand([["a", "b c"], ["d"]]) == "sudo a 'b c' && sudo d"


def test_a_folder_without_its_command_is_another_system(tmp_path):
    assert not FolderStore("test", tmp_path, ".crt", ("no-such-command",)).usable()


@pytest.mark.parametrize("store", STORES, ids=lambda store: store.system)
def test_every_store_takes_out_what_it_puts_in(store, ca_file):
    name = str(store.file) if isinstance(store, FolderStore) else str(ca_file)
    assert any(name in command for command in store.install(ca_file))
    assert any(name in command for command in store.uninstall(ca_file))


def test_macos_uses_the_system_keychain(ca_file):
    assert MacStore().install(ca_file)[0][:3] == ["security", "add-trusted-cert", "-d"]

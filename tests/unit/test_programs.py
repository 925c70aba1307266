import socket
import subprocess
import sys

import pytest

from llmproxy_core.programs import program_of

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

NAMED = """
import ctypes, socket, sys
ctypes.CDLL(None).prctl(15, b"\\x1b[2Jevil", 0, 0, 0)
connection = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
print(connection.getsockname()[1], flush=True)
sys.stdin.read()
"""


def test_a_program_is_found_by_its_connection_and_its_name_cannot_move_the_cursor():
    with socket.create_server(("127.0.0.1", 0)) as server:
        command = [sys.executable, "-c", NAMED, str(server.getsockname()[1])]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as client:
            assert client.stdout
            port = int(client.stdout.readline())
            found = program_of(("127.0.0.1", port))
            client.communicate("")

    assert found == f"?[2Jevil (pid {client.pid})"


def test_an_address_of_nobody_is_nobody():
    assert program_of(("192.0.2.1", 1)) is None
    assert program_of(("not an address", 1)) is None
    assert program_of(None) is None

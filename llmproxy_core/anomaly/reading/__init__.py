"""How texts are taken apart: shell commands, SQL, tool arguments, addresses, encodings."""

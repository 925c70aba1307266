"""How each operation is done: one file a family, `registry.py` lists them."""

"""Where each wire format has what operations change: one file a family, `registry.py` lists them."""

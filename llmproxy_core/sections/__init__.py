"""The sections of `mitm.toml`: their keys, what each may be, what it is if left out."""

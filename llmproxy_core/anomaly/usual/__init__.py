"""How calls usually are: robust statistics of streams, in little space."""

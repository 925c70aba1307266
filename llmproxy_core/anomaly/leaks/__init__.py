"""Data on its way out: in addresses, commands, scripts and orders to a model."""

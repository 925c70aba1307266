"""The store -> files. One file a format."""

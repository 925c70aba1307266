"""What makes other programs use the proxy and trust its certificate authority."""

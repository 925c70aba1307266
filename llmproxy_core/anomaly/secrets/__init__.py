"""Secrets in texts: what they look like (`rules.toml`), and what only looks like one."""

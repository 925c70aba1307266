"""The terminal UI: live calls, conversations, sessions, events. Reads the store, changes nothing."""

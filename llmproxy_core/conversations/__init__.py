"""Which request continues which: conversations found by what was said, without any ids.

Pure: what the store remembers is asked for through `recall.Recall`.
"""

"""Was a call a success? Signals, each of one observation about one call, and rates of them.

Pure: what is judged is handed in, what was found is handed back. docs/success.md defines each signal.
"""

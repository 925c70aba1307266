"""Files -> recordings -> a journal in the spool -> the worker. One file a format."""

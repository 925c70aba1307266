"""One screen a file; `app.MODES` lists those that have a key of their own."""

"""What becomes of a request before it is sent: transformations, and arms of experiments.

Pure but for the file of conversations (`experiments.begun`). `addons/enhance.py` asks it about each
request and each frame of a client.
"""

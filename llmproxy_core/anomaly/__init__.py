"""What is wrong with a text, or with a call: detectors, and what they find."""

"""The model behind the detector `injection`: its texts, its fit, its evaluation, its card."""

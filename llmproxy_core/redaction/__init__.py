"""Values that the provider does not get: placeholders go in their place, and come back."""

"""Text that a person does not see, or does not read as what it is, and a model does."""

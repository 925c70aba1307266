"""How what is shipped as data was learnt. Not part of the installed package."""

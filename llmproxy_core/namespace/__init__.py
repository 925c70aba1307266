"""Whose call it is, and names of tools that carry it to the provider and back.

`rules` finds the namespace of a call, `places` knows where names stand in each wire format, `walk`
finds them there, `outgoing` puts the prefix on, `incoming` takes it off again.
"""

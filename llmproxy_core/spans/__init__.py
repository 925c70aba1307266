"""Byte-exact storage of what passes, growing only with what is new. Pure: no I/O.

A *document* is the headers and the body of one message. It is cut into *pieces* at places where
a repetition may begin or end (an element of `messages`, a long string); joined, they are the
document again, whatever they hold. Long pieces are kept once, by their hash (`blobs`); an *item*
is a short piece itself or the hash of a long one. The *manifest*, the list of a document's items,
is stored as an edit of another one's: an agent's turn 200 costs what turn 200 added.
"""

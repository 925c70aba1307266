"""How a text is worded: folded letters, words, concepts, and what a linear model makes of them."""

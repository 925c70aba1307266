import random
import re

import pytest

from training.injection.grammar import grown, read_grammar

STARTS = {"attacks": ("attack", "planted"), "benign": ("benign", "mline")}


@pytest.mark.parametrize("name", STARTS)
def test_every_symbol_that_is_used_is_there(name: str) -> None:
    grammar = read_grammar(name)
    used = {
        symbol
        for texts in grammar.values()
        for text in texts
        for symbol in re.findall(r"\{(\w+)\}", text)
    }
    assert used <= set(grammar)


@pytest.mark.parametrize(("name", "symbols"), STARTS.items())
def test_texts_are_whole_and_the_same_for_the_same_seed(
    name: str, symbols: tuple[str, ...]
) -> None:
    grammar = read_grammar(name)
    for symbol in symbols:
        texts = [grown(grammar, symbol, random.Random(seed)) for seed in range(300)]
        assert texts == [grown(grammar, symbol, random.Random(seed)) for seed in range(300)]
        assert not any(re.search(r"\{\w+\}", text) for text in texts)

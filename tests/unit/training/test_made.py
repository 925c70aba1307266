from training.injection.corpus import Document
from training.injection.fitting import document_weights
from training.injection.made import HARMLESS, made

CARRIERS = ["A page about trees. It has lines.\nAnd more of them. " * 10]


def test_the_same_texts_come_of_the_same_seed() -> None:
    texts = made(CARRIERS, 3)
    assert texts == made(CARRIERS, 3)
    assert sum(one.source == "made: harmless" for one in texts) == HARMLESS


def test_half_of_the_weight_of_a_label_is_on_made_texts() -> None:
    documents = [
        Document("a", True, "made: attack"),
        Document("b", True, "one"),
        Document("c", True, "one"),
        Document("d", False, "two"),
    ]
    weights = document_weights(documents)
    assert weights[0] == weights[1] + weights[2] == 1.0
    assert weights[3] == 2.0

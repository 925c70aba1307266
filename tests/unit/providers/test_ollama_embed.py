from tests.unit.providers.sample import read
from tests.unit.providers.samples_lines import OLLAMA_EMBED, OLLAMA_EMBEDDINGS


def test_vectors_are_counted() -> None:
    response = read("ollama.embed", OLLAMA_EMBED.json)
    assert (response.n_embeddings, response.usage and response.usage.input_tokens) == (1, 5)


def test_the_older_path_has_one_vector() -> None:
    response = read("ollama.embeddings", OLLAMA_EMBEDDINGS.json)
    assert (response.n_embeddings, response.usage) == (1, None)

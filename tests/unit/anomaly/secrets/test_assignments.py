"""Values that only their names give away."""

import pytest

from llmproxy_core.anomaly.finding import Text
from llmproxy_core.anomaly.secrets.detector import Secrets

SECRETS = Secrets()


def found(text: str) -> list[str]:
    return [text[one.start : one.end] for one in SECRETS.find(Text(text))]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("password: Winter2024!", "Winter2024!"),
        ('"db_password": "x7Kq!pl2"', "x7Kq!pl2"),
        ("DB_PASS=q8Zt4wLm", "q8Zt4wLm"),
        ("<password>h8Jk#2mN</password>", "h8Jk#2mN"),
        ("api_key = 'q8Zt4wLm1xCv7bNm'", "q8Zt4wLm1xCv7bNm"),
        ("secret: 9f8e7d6c5b4a39281706f5e4d3c2b1a0", "9f8e7d6c5b4a39281706f5e4d3c2b1a0"),
        ('{"content": "TOKEN=\\"q8Zt4wLm1xCv7bNm\\""}', "q8Zt4wLm1xCv7bNm"),
    ],
)
def test_a_secret_name_gives_its_value_away(text: str, value: str):
    assert found(text) == [value]


@pytest.mark.parametrize(
    "text",
    [
        "password: str = ''",
        "password = user.password2",
        "if password != confirm_password1:",
        "sort_key = 'created_at_2024_01_01_x1'",
        "max_tokens: 4096000000000000",
        "monkey=banana123banana456",
        "password=\nhost=db1.acme.test\n",
        "hash(password, saltRounds10)",
    ],
)
def test_other_names_and_values_are_left_alone(text: str):
    assert found(text) == []

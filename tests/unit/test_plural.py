from llmproxy_core.plural import counted


def test_one_is_told_as_one():
    told = [counted(n, "call") for n in (0, 1, 2, 1234)]
    assert told == ["0 calls", "1 call", "2 calls", "1,234 calls"]
    assert counted(1, "anomaly", "anomalies") == "1 anomaly"
    assert counted(2, "anomaly", "anomalies") == "2 anomalies"

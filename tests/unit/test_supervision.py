import asyncio
import sys

import pytest

from llmproxy_core.config import AdvisorConfig, Config
from llmproxy_core.home import Home
from llmproxy_core.supervision import WorkerChild


@pytest.mark.parametrize("enabled", [False, True])
def test_the_worker_has_the_key_of_the_advisor_where_there_is_one(tmp_path, monkeypatch, enabled):
    monkeypatch.setenv("OPENROUTER_API_KEY", "sk-or-test-not-a-key")
    config = Config(advisor=AdvisorConfig(enabled=enabled))

    child = WorkerChild(Home(tmp_path), config)

    assert ("OPENROUTER_API_KEY" in child._environment) == enabled


def test_the_worker_does_not_inherit_the_keys_of_the_proxy(tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test-0123456789abcdef")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hidden")
    monkeypatch.setenv("LLMPROXY_DATABASE_URL", "postgresql://db/x")
    monkeypatch.setenv("PGPASSFILE", "/pgpass")
    program = tmp_path / "python"
    program.write_text("#!/bin/sh\nenv\n")
    program.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(program))

    asyncio.run(WorkerChild(Home(tmp_path), Config())._run())
    inherited = (tmp_path / "worker.log").read_text()

    assert "OPENAI_API_KEY" not in inherited
    assert "AWS_SECRET_ACCESS_KEY" not in inherited
    assert "LLMPROXY_DATABASE_URL=postgresql://db/x" in inherited
    assert "PGPASSFILE=/pgpass" in inherited
    assert f"LLMPROXY_HOME={tmp_path}" in inherited

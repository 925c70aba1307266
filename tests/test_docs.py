"""The documents name what there is: settings, commands, targets, files."""

import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from pydantic import BaseModel

from llmproxy_core.cli.app import app
from llmproxy_core.config import (
    Config,
    LimitConfig,
    NamespaceConfig,
    PolicyConfig,
    PriceConfig,
    ProviderConfig,
    TransformationConfig,
    WebhookConfig,
)

CHECKOUT = Path(__file__).parents[1]
DOCUMENTS = [
    CHECKOUT / name
    for name in ("README.md", "CONTRIBUTING.md", "docs/architecture.md", "docs/cli.md")
]


def text(name: str) -> str:
    return (CHECKOUT / name).read_text()


TABLES: dict[str, type[BaseModel]] = {
    "providers": ProviderConfig,
    "prices": PriceConfig,
    "namespaces": NamespaceConfig,
    "limits": LimitConfig,
    "policies": PolicyConfig,
    "transformations": TransformationConfig,
    "webhooks": WebhookConfig,
}


def settings(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """`table.key` of each setting; lists of tables are documented apart."""
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from settings(kind, f"{prefix}{name}.")
        elif name not in ("source", *TABLES):
            yield f"{prefix}{name}"


def commands() -> Iterator[str]:
    root = typer.main.get_command(app)
    for name, command in root.commands.items():  # type: ignore[attr-defined]
        inside = getattr(command, "commands", None)
        yield from (f"{name} {sub}" for sub in inside) if inside else [name]


def targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):.*## ", text("Makefile"), re.MULTILINE))


@pytest.mark.parametrize("key", list(settings(Config)))
def test_every_setting_is_in_mitm_toml_with_a_comment(key):
    table, _, name = key.partition(".")
    lines = text("mitm.toml").split(f"[{table}]\n")[1].splitlines()
    at = next(i for i, line in enumerate(lines) if re.match(rf"#? ?{name} = ", line))

    above = next(line for line in reversed(lines[:at]) if not re.match(r"[a-z_]+ = ", line))
    assert above.startswith("#"), f"mitm.toml: {key} has no comment above it"


@pytest.mark.parametrize(
    ("table", "key"), [(table, key) for table, kind in TABLES.items() for key in kind.model_fields]
)
def test_every_setting_of_a_list_is_in_mitm_toml(table, key):
    shown = text("mitm.toml").split(f"[[{table}]]")[1].partition("[[")[0]
    assert re.search(rf"^# {key} = ", shown, re.MULTILINE)


def test_mitm_toml_shows_the_defaults():
    shown = Config.model_validate(tomllib.loads(text("mitm.toml")))

    assert shown.model_dump() == Config().model_dump()


@pytest.mark.parametrize("command", list(commands()))
def test_every_command_is_in_the_documents(command):
    assert f"`llmproxy {command}" in text("docs/cli.md")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_target_that_a_document_names_exists(document):
    named = set(re.findall(r"(?:`|^    )make ([a-z-]+)", document.read_text(), re.MULTILINE))

    assert named <= targets()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_file_that_a_document_links_to_exists(document):
    links = re.findall(r"\]\(([^)#:]+)\)", document.read_text())

    assert [link for link in links if not (document.parent / link).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_path_that_a_document_names_exists(document):
    roots = (CHECKOUT, CHECKOUT / "llmproxy_core", CHECKOUT / "addons")
    named = re.findall(r"`([a-z_]+(?:/[a-z_]+)*(?:/|\.py))`", document.read_text())

    missing = [name for name in named if not any((root / name).exists() for root in roots)]
    assert missing == []


def test_the_list_of_targets_names_them_all():
    said = subprocess.run(
        ["make", "-s", "help"], cwd=CHECKOUT, capture_output=True, text=True, check=True
    ).stdout

    assert {line.split()[1] for line in said.splitlines()} == targets()


def test_the_readme_can_be_read_in_one_go():
    assert 40 <= len(text("README.md").splitlines()) <= 150


def test_pinned_versions_name_no_index():
    lines = text("constraints.txt").splitlines()

    assert [line for line in lines if "://" in line or line.startswith("-")] == []
    assert all("==" in line for line in lines if not line.startswith("#"))

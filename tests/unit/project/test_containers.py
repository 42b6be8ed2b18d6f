"""The container files, held against the commands, paths and ports they name; no engine needed."""

from __future__ import annotations

import json
import re
import shlex

import pytest
import typer
import yaml

from geo.settings import ROOT
from portee.cli import app
from portee.commands.serve import DEFAULT_PORT

COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
SERVICES = COMPOSE["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8").replace("\\\n", " ")
INSTRUCTIONS = [line.split(maxsplit=1) for line in DOCKERFILE.splitlines() if re.match(r"[A-Z]+ ", line)]


def instructions(word: str) -> list[str]:
    return [rest for found, rest in INSTRUCTIONS if found == word]


def understood(words: list[str]) -> bool:
    """Whether the command line knows this command and its options."""
    command = typer.main.get_command(app)
    for word in words[1:]:
        if hasattr(command, "commands"):
            if word not in command.commands:
                return False
            command = command.commands[word]
    known = {
        option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)
    }
    return words[0] == "portee" and {word for word in words if word.startswith("-")} <= known


def test_the_commands_named_are_understood():
    started = [json.loads(rest) for rest in instructions("CMD")]
    started += [service["command"] for service in SERVICES.values() if "command" in service]
    assert len(started) >= 2
    assert all(understood(words) for words in started)


def test_the_check_of_commands_would_notice():
    assert not understood(["portee", "demo", "--no-such-option"])
    assert not understood(["portee", "no-such-command"])


def test_what_is_copied_is_there_and_not_ignored():
    ignored = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    kept = {line[1:] for line in ignored if line.startswith("!")}
    assert "*" in ignored
    for rest in instructions("COPY"):
        if "--from=" in rest:
            continue
        for source in shlex.split(rest)[:-1]:
            assert (ROOT / source).exists(), source
            assert source.split("/")[0] in kept, f"{source} is kept out of the image by .dockerignore"


def test_every_package_of_the_command_is_in_the_image():
    copied = {word for rest in instructions("COPY") for word in shlex.split(rest)}
    assert {"geo", "api", "static_maps", "portee", "data"} <= copied


def test_the_image_runs_as_an_account_of_its_own_and_holds_no_secret():
    assert instructions("USER") and instructions("USER")[-1] not in ("root", "0")
    assert not re.search(r"(?i)(password|secret|token)\s*=", DOCKERFILE)


def test_ports_agree_everywhere():
    assert instructions("EXPOSE") == [str(DEFAULT_PORT)]
    assert SERVICES["app"]["ports"] == [f"127.0.0.1:${{PORT:-{DEFAULT_PORT}}}:{DEFAULT_PORT}"]
    assert f"http://127.0.0.1:{DEFAULT_PORT}/healthz" in DOCKERFILE
    assert re.search(rf"^PORT\s*\?= {DEFAULT_PORT}$", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)


def test_the_app_waits_for_a_healthy_database_and_its_preparation():
    assert SERVICES["database"]["healthcheck"]["test"][1] == "pg_isready"
    waits = {name: rule["condition"] for name, rule in SERVICES["app"]["depends_on"].items()}
    assert waits == {"database": "service_healthy", "prepare": "service_completed_successfully"}
    assert SERVICES["prepare"]["depends_on"]["database"]["condition"] == "service_healthy"


def test_what_must_last_lies_in_named_volumes():
    used = {volume.split(":")[0] for service in SERVICES.values() for volume in service.get("volumes", ())}
    assert used == COMPOSE["volumes"].keys()
    homes = re.findall(r"PORTEE_HOME=(\S+)", DOCKERFILE)
    assert [f"work:{home}" for home in homes] == SERVICES["app"]["volumes"]


@pytest.mark.parametrize("name", ["prepare", "app"])
def test_both_reach_the_database_that_is_started(name):
    database = SERVICES["database"]["environment"]
    assert SERVICES[name]["environment"]["DATABASE_URL"] == (
        f"postgresql://{database['POSTGRES_USER']}:{database['POSTGRES_PASSWORD']}"
        f"@database:5432/{database['POSTGRES_DB']}"
    )

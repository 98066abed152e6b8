"""The rules of the structure, held by reading the sources: who may import whom."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SERVICE = sorted((ROOT / "frontend_api").rglob("*.py"))
CONTRACTS = sorted(p for p in (ROOT / "contracts").rglob("*.sol") if ".cache" not in p.parts)
APPLICATIONS = {"property", "receivables", "data", "city"}


def imports(path: Path) -> set[str]:
    """Every module a file imports, relative imports made absolute."""
    package = list(path.relative_to(ROOT).with_suffix("").parts[:-1])
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            name = ".".join([*base, *([node.module] if node.module else [])])
            found |= {name, *(f"{name}.{alias.name}" for alias in node.names)}
    return found


def solidity_imports(path: Path) -> list[Path]:
    found = re.findall(r'from "(\.[^"]+)"', path.read_text())
    return [(path.parent / name).resolve().relative_to(ROOT / "contracts") for name in found]


@pytest.mark.parametrize("path", SERVICE, ids=lambda p: str(p.relative_to(ROOT)))
def test_service__does_not_import_ape_tests_or_scripts(path):
    roots = {name.split(".")[0] for name in imports(path)}
    assert roots & {"ape", "ape_foundry", "scripts", "tests"} == set()


@pytest.mark.parametrize("path", SERVICE, ids=lambda p: str(p.relative_to(ROOT)))
def test_json_rpc__spoken_in_chain_only(path):
    """Others hold an `Rpc` at most to hand it to a wrapper: the composition root, the certificate reader and its command."""
    allowed = {"city.py", "app.py", "documents/contract.py", "documents/command.py"}
    name = str(path.relative_to(ROOT / "frontend_api"))
    if name.startswith("chain/") or name in allowed:
        return
    assert not {n for n in imports(path) if n.startswith(("web3", "frontend_api.chain.rpc"))}
    assert "eth_call" not in path.read_text()
    assert "eth_sendRaw" not in path.read_text()


@pytest.mark.parametrize("path", SERVICE, ids=lambda p: str(p.relative_to(ROOT)))
def test_environment__read_in_config_only(path):
    """Command-line options may name a variable for click to read; the node's parent sets up its child's environment."""
    if path.name in {"config.py", "cli.py"} or "compute" in path.parts:
        return
    assert "os.environ" not in path.read_text()
    assert "getenv" not in path.read_text()


#: A module may have several, in files named after what they are about.
SERVICES = [path for path in SERVICE if re.search(r"^class \w+Service\b", path.read_text(), re.MULTILINE)]


@pytest.mark.parametrize("path", SERVICES, ids=lambda p: f"{p.parent.name}.{p.stem}")
def test_services__know_no_json_rpc_and_no_http(path):
    names = imports(path)
    assert not {n for n in names if n.startswith(("aiohttp", "fastapi", "starlette", "frontend_api.chain.rpc"))}


@pytest.mark.parametrize("path", sorted((ROOT / "frontend_api/chain").rglob("*.py")), ids=lambda p: p.name)
def test_chain_layer__knows_no_module(path):
    assert not {n for n in imports(path) if n.startswith("frontend_api.modules")}


@pytest.mark.parametrize("path", CONTRACTS, ids=lambda p: str(p.relative_to(ROOT / "contracts")))
def test_contracts__core_imports_no_application_and_applications_only_core(path):
    module = path.relative_to(ROOT / "contracts").parts[0]
    used = {imported.parts[0] for imported in solidity_imports(path)}
    if module == "core":
        assert used <= {"core"}
    elif module in APPLICATIONS:
        assert used <= {"core", module}


@pytest.mark.parametrize("path", CONTRACTS, ids=lambda p: str(p.relative_to(ROOT / "contracts")))
def test_contracts__custom_errors_only_and_a_licence(path):
    text = path.read_text()
    assert text.startswith("// SPDX-License-Identifier: ")
    assert "require(" not in text.replace("solhint", ""), "custom errors only"
    assert 'revert("' not in text


@pytest.mark.parametrize(
    "path", [*SERVICE, *sorted((ROOT / "scripts").rglob("*.py")), *CONTRACTS], ids=lambda p: str(p.relative_to(ROOT))
)
def test_files__can_be_read_in_one_sitting(path):
    """Past about 400 lines a file is split by what it is about."""
    assert len(path.read_text().splitlines()) <= 450

"""Every error of every contract has a status and a sentence, and every sentence can be rendered with the error's arguments."""

from __future__ import annotations

import json

import pytest

from frontend_api.chain.abi import FOLDER, Decoded, abi_of, contract_types
from frontend_api.chain.sentences import SENTENCES
from scripts.export_abi import expected


def _errors() -> dict[str, dict]:
    found = {}
    for name in contract_types():
        for entry in abi_of(name).errors.values():
            found[entry["name"]] = entry
    return found


def _example(kind: str) -> object:
    if kind.endswith("]"):
        return []
    if kind.startswith("bytes"):
        return b"\x41" * int(kind[5:] or 3)
    return {"address": "0x" + "11" * 20, "bool": True, "string": "text"}.get(kind, 1)


@pytest.mark.parametrize("name", sorted(_errors()))
def test_sentence__every_error_of_every_abi__has_status_and_wording(name):
    entry = _errors()[name]
    assert name in SENTENCES, f"{name} has no sentence in frontend_api/chain/sentences"
    sentence = SENTENCES[name]
    text = sentence.render(Decoded(name, {p["name"]: _example(p["type"]) for p in entry["inputs"]}))
    assert sentence.status in (403, 404, 409, 422)
    assert text.endswith(".")
    assert "{" not in text


def test_sentences__none_is_left_over_from_a_contract_that_went():
    assert set(SENTENCES) - set(_errors()) - {"Error", "Panic"} == set()


def test_abi_folder__equals_what_the_compiler_made():
    present = {path.name: path.read_text() for path in FOLDER.glob("*.json")}
    assert present == expected(), "run `ape run export_abi`"
    assert all(json.loads(text) for text in present.values())

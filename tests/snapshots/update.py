"""Write the snapshots anew: `python -m tests.snapshots.update`. Say in the commit why they changed."""

from __future__ import annotations

from scripts.deployment.artifacts import compile_if_stale

from .storage_layout import FOLDER, expected


def main() -> None:
    compile_if_stale()
    files = expected()
    FOLDER.mkdir(parents=True, exist_ok=True)
    for path in FOLDER.glob("*.json"):
        if path.name not in files:
            path.unlink()
    for name, text in files.items():
        (FOLDER / name).write_text(text)
    print(f"{len(files)} storage layouts")


if __name__ == "__main__":
    main()

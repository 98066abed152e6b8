"""A real PostgreSQL server from Debian's package, on a free loopback port, in a folder of its own."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from pathlib import Path

from scripts.demonstration.processes import Process, free_port


def _binaries() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        raise RuntimeError("no PostgreSQL server: apt-get install postgresql (make test-all does)")
    return found[-1].parent


class PostgreSQL:
    """The server refuses to run as root, so that root hands it to Debian's own user."""

    def __init__(self, folder: Path):
        self.folder, self.port = folder, free_port()
        self._bin = _binaries()
        self._as: list[str] = []
        data = folder / "data"
        folder.mkdir(parents=True, exist_ok=True)
        if os.geteuid() == 0:
            owner = pwd.getpwnam("postgres")
            self._as = ["setpriv", f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}", "--clear-groups"]
            os.chown(folder, owner.pw_uid, owner.pw_gid)
            for parent in folder.parents:
                if parent.stat().st_uid == 0 and parent != Path("/"):
                    parent.chmod(parent.stat().st_mode | 0o011)
        subprocess.run(
            [*self._as, str(self._bin / "initdb"), "-D", str(data), "-U", "chaincity", "-A", "trust", "-N"],
            check=True,
            capture_output=True,
            cwd=folder,
        )
        command = [str(self._bin / "postgres"), "-D", str(data), "-p", str(self.port), "-h", "127.0.0.1"]
        command += ["-k", str(folder), "-c", "fsync=on"]
        self.process = Process("postgres", [*self._as, *command], folder.parent)
        self.process.wait_until(self._answers, 30)

    def _answers(self) -> bool:
        ready = [str(self._bin / "pg_isready"), "-h", "127.0.0.1", "-p", str(self.port), "-q"]
        return subprocess.run(ready, check=False).returncode == 0

    def database(self, name: str) -> str:
        """A new, empty database; returns its address for SQLAlchemy."""
        made = [str(self._bin / "createdb"), "-h", "127.0.0.1", "-p", str(self.port), "-U", "chaincity", name]
        subprocess.run(made, check=True)
        return f"postgresql+psycopg://chaincity@127.0.0.1:{self.port}/{name}"

    def stop(self) -> None:
        self.process.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

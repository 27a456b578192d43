"""A JupyterLab server on a copy of the project, with an account of its own."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[3]

# Every cell in the page, however long it is; nothing asked of the network.
SETTINGS = {
    "@jupyterlab/notebook-extension/tracker": {"windowingMode": "none", "recordTiming": True},
    "@jupyterlab/apputils-extension/notification": {"checkForUpdates": False, "fetchNews": "false"},
    "@jupyterlab/apputils-extension/themes": {"adaptive-theme": True},
}


@dataclass(frozen=True)
class Lab:
    """A running server: ``root`` is the project that it serves."""

    url: str
    token: str
    root: Path

    def notebook(self, name: str) -> str:
        return f"{self.url}lab/workspaces/{name}/tree/notebooks/{name}.ipynb?token={self.token}"


@pytest.fixture(scope="session")
def lab(demo_outputs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """JupyterLab with the project's notebooks and parameters, and the demo as its outputs."""
    pytest.importorskip("jupyterlab")
    home = tmp_path_factory.mktemp("lab")
    root = home / "project"
    for name in ("notebooks", "parameters"):
        shutil.copytree(PROJECT / name, root / name, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    (root / "outputs").mkdir()
    (root / "outputs" / "demo").symlink_to(demo_outputs / "demo")
    shutil.copytree(demo_outputs / "tables", root / "outputs" / "tables")
    for name, values in SETTINGS.items():
        file = home / "settings" / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(values), encoding="utf-8")
    token = secrets.token_hex(16)
    own = {
        "HOME": home / "home",
        "IPYTHONDIR": home / "ipython",
        "JUPYTER_CONFIG_DIR": home / "config",
        "JUPYTER_DATA_DIR": home / "data",
        "JUPYTER_RUNTIME_DIR": home / "runtime",
        "JUPYTERLAB_SETTINGS_DIR": home / "settings",
        "JUPYTERLAB_WORKSPACES_DIR": home / "workspaces",
    }
    for folder in own.values():
        folder.mkdir(exist_ok=True)
    log = home / "server.log"
    with log.open("w") as written:
        server = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "jupyterlab",
                "--no-browser",
                "--allow-root",
                "--ServerApp.ip=127.0.0.1",
                "--ServerApp.port=0",
                f"--ServerApp.root_dir={root}",
            ],
            env={**os.environ, **{k: str(v) for k, v in own.items()}, "JUPYTER_TOKEN": token, "PYTHONWARNINGS": ""},
            stdout=written,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield Lab(_wait(server, home / "runtime", token, log), token, root)
    finally:
        server.terminate()
        try:
            server.wait(30)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _wait(server: subprocess.Popen[bytes], runtime: Path, token: str, log: Path) -> str:
    """The address of the server once it answers."""
    until = time.monotonic() + 90
    while time.monotonic() < until and server.poll() is None:
        for file in runtime.glob("jpserver-*.json"):
            try:
                url = str(json.loads(file.read_text(encoding="utf-8"))["url"])
                urllib.request.urlopen(f"{url}api/status?token={token}", timeout=5).close()
            except (OSError, ValueError):
                continue
            return url
        time.sleep(0.2)
    raise AssertionError(f"JupyterLab did not start:\n{log.read_text(encoding='utf-8')}")

"""An emulator of BigQuery on this machine, where ``make emulator`` has set one up."""

from __future__ import annotations

import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

HERE = Path(__file__).parent
PROJECT = HERE.parents[2]
PYTHON = Path(os.environ.get("SHOKUBAI_EMULATOR_PYTHON") or PROJECT / ".venv-emulator" / "bin" / "python")
REQUIRED = os.environ.get("SHOKUBAI_REQUIRE_EMULATOR", "") not in ("", "0")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.emulator)


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The emulator: its ``address``, a ``client``, and ``load``, which puts Parquet files into a table."""
    if not PYTHON.exists():
        reason = f"there is no emulator of BigQuery: `make emulator` sets one up ({PYTHON} is missing)"
        if REQUIRED:
            pytest.fail(f"SHOKUBAI_REQUIRE_EMULATOR is set, but {reason}")
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("emulator")
    ports = [free_port(), free_port()]
    command = [
        str(PYTHON),
        str(HERE / "serve.py"),
        "serve",
        "--host",
        "127.0.0.1",
        "--data-dir",
        str(folder / "data"),
    ]
    command += [
        "--port",
        str(ports[0]),
        "--grpc-port",
        str(ports[1]),
        "--project",
        "aoba-logs",
        "--dataset",
        "shokubai",
    ]
    with (folder / "log").open("w") as log, subprocess.Popen(command, stdout=log, stderr=log, cwd=folder) as process:
        try:
            address = f"http://127.0.0.1:{ports[0]}"
            wait_for(address, process, folder / "log")
            yield SimpleNamespace(address=address, client=client(address), load=load)
        finally:
            process.terminate()
            process.wait(30)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def wait_for(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/bigquery/v2/projects/aoba-logs/datasets", timeout=60):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    pytest.fail(f"the emulator does not answer:\n{log.read_text()[-2000:]}")


def client(address: str) -> Any:
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import bigquery

    return bigquery.Client(
        "aoba-logs", credentials=AnonymousCredentials(), location="US", client_options={"api_endpoint": address}
    )


def load(client: Any, table: str, files: list[Path], *, partitioned_by: str = "") -> None:
    """Append Parquet files to a table, which is made when it is not there."""
    from google.cloud import bigquery

    client.create_dataset(table.rpartition(".")[0], exists_ok=True)
    for file in files:
        config = bigquery.LoadJobConfig(source_format="PARQUET", write_disposition="WRITE_APPEND")
        if partitioned_by:
            config.time_partitioning = bigquery.TimePartitioning(field=partitioned_by)
        with file.open("rb") as opened:
            client.load_table_from_file(opened, table, job_config=config).result()

"""An emulator of BigQuery on this machine: started, filled through the official client, and ended.

``python start.py --demo outputs/demo`` starts one that holds the demo organisation's logs, as the warehouse file
``parameters/warehouses/bigquery.yaml`` describes them, and says how to use it.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parents[2]
PYTHON = Path(os.environ.get("SHOKUBAI_EMULATOR_PYTHON") or PROJECT / ".venv-emulator" / "bin" / "python")
HOST = "127.0.0.1"
DATA_PROJECT = "aoba-logs"
COMPANIONS = ("metrics", "deployments", "incidents", "alerts", "sre_requests")


@dataclass(frozen=True)
class Emulator:
    """A running emulator: where it listens, and a client that talks to it."""

    address: str
    storage_address: str
    client: Any

    @property
    def environment(self) -> dict[str, str]:
        """What makes Shokubai talk to it."""
        return {"BIGQUERY_EMULATOR_HOST": self.address, "BIGQUERY_STORAGE_EMULATOR_HOST": self.storage_address}

    def load(self, table: str, files: Sequence[Path], *, partitioned_by: str = "") -> None:
        """Append Parquet files to a table, which is made when it is not there."""
        from google.cloud import bigquery

        self.client.create_dataset(table.rpartition(".")[0], exists_ok=True)
        for file in files:
            config = bigquery.LoadJobConfig(source_format="PARQUET", write_disposition="WRITE_APPEND")
            if partitioned_by:
                config.time_partitioning = bigquery.TimePartitioning(field=partitioned_by)
            with file.open("rb") as opened:
                self.client.load_table_from_file(opened, table, job_config=config).result()

    def load_demo(self, demo: Path) -> None:
        """Put the demo organisation's logs into the dataset ``demo``."""
        days = sorted(demo.glob("requests/*/*.parquet"))
        self.load(f"{DATA_PROJECT}.demo.requests", days, partitioned_by="timestamp")
        for name in COMPANIONS:
            self.load(f"{DATA_PROJECT}.demo.{name}", [demo / f"{name}.parquet"])


@contextlib.contextmanager
def running(folder: Path, *, port: int = 0, storage_port: int = 0) -> Iterator[Emulator]:
    """An emulator whose data lies in ``folder``. Raises RuntimeError with its last words when it does not start."""
    port, storage_port = port or free_port(), storage_port or free_port()
    command = [str(PYTHON), str(HERE / "serve.py"), "serve", "--host", HOST, "--data-dir", str(folder / "data")]
    command += ["--port", str(port), "--grpc-port", str(storage_port)]
    command += ["--project", DATA_PROJECT, "--dataset", "shokubai"]
    log = folder / "log"
    with log.open("w") as out, subprocess.Popen(command, stdout=out, stderr=out, cwd=folder) as process:
        try:
            address = f"http://{HOST}:{port}"
            wait_for(address, process, log)
            yield Emulator(address, f"{HOST}:{storage_port}", client(address))
        finally:
            process.terminate()
            process.wait(30)


def free_port() -> int:
    with socket.socket() as found:
        found.bind((HOST, 0))
        return int(found.getsockname()[1])


def wait_for(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/bigquery/v2/projects/{DATA_PROJECT}/datasets", timeout=60):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise RuntimeError(f"the emulator does not answer:\n{log.read_text()[-2000:]}")


def client(address: str) -> Any:
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import bigquery

    return bigquery.Client(
        DATA_PROJECT, credentials=AnonymousCredentials(), location="US", client_options={"api_endpoint": address}
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="An emulator of BigQuery with the demo organisation's logs.")
    parser.add_argument("--demo", type=Path, required=True, help="the folder that `shokubai demo` has filled")
    parser.add_argument("--port", type=int, default=9050)
    parser.add_argument("--storage-port", type=int, default=9060)
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with (
        contextlib.suppress(KeyboardInterrupt),
        tempfile.TemporaryDirectory(prefix="shokubai-emulator-") as folder,
        running(Path(folder), port=given.port, storage_port=given.storage_port) as emulator,
    ):
        emulator.load_demo(given.demo)
        says = sys.stdout.write
        says("The emulator holds the demo's logs until this command ends (Ctrl-C). In another terminal:\n\n")
        for name, value in emulator.environment.items():
            says(f"export {name}={value}\n")
        says(".venv/bin/shokubai run weekly --warehouse bigquery --outputs outputs/bigquery\n")
        sys.stdout.flush()
        signal.pause()


if __name__ == "__main__":
    main()

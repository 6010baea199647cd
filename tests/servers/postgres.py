"""PostgreSQL, over TLS and with SCRAM. It refuses to run as root, so that it runs as nobody else in a user namespace."""

import contextlib
import os
import shutil
import subprocess
from pathlib import Path

from . import Server, certificates, succeed

PORT = 15432
PASSWORD = "it's a \"secret\""


def program(name):
    """Where it is, in the path or where Debian has it."""
    found = shutil.which(name)
    return found or str(sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))[-1])


class Postgres(Server):
    kind = "postgres"
    exactly_once = True
    memory = "16MB"
    not_root = ["unshare", "--user", "--map-user=1000", "--map-group=1000"]

    def prepare(self):
        self.certificate = certificates.alone(self.folder)
        (self.folder / "password").write_text(PASSWORD + "\n")
        command = [*self.not_root, program("initdb"), "-D", self.folder / "data", "-U", "honeyplant", "--no-sync"]
        command += ["--auth=scram-sha-256", f"--pwfile={self.folder / 'password'}", "--encoding=UTF8", "--locale=C.UTF-8"]
        succeed(*command)

    def sink(self):
        return f"""
            to = "127.0.0.1:{PORT}"
            database = "postgres"
            password = {{ file = "{self.folder / 'password'}" }}
            tls = {{ ca = "{self.certificate}" }}
        """

    def start(self):
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": PORT,
            "unix_socket_directories": self.folder,
            "shared_buffers": self.memory,
            "ssl": "on",
            "ssl_cert_file": self.certificate,
            "ssl_key_file": self.folder / "server.key",
        }
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        # What was left by the power that was lost is no other server.
        (self.folder / "data/postmaster.pid").unlink(missing_ok=True)
        self.run(*self.not_root, program("postgres"), "-D", self.folder / "data", *options)
        self.until(lambda: self.ask("SELECT 1") == ["1"], "PostgreSQL to start")

    def signal(self, number):
        # Each connection has a process, and each process is a group of its own.
        known = [process.pid for process in self.processes]
        for pid in known:
            with contextlib.suppress(OSError):
                known.extend(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))
        for pid in known:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def ask(self, statement):
        """The rows of the answer, with tabs between the columns."""
        command = ["psql", "-X", "-A", "-t", "-F", "\t", "-h", "127.0.0.1", "-p", str(PORT), "-U", "honeyplant", "-c", statement]
        done = subprocess.run([*command, "postgres"], env=os.environ | {"PGPASSWORD": PASSWORD}, capture_output=True, text=True)
        if done.returncode != 0:
            raise OSError(done.stderr)
        return done.stdout.splitlines()

    def received(self):
        try:
            return self.ask("SELECT document->'event'->>'id' FROM events ORDER BY sequence")
        except OSError as error:
            if "does not exist" in str(error):
                return []
            raise

"""MariaDB, over TLS, with a default character set that holds little of what actors send."""

import os
import subprocess

from . import Server, certificates, succeed

PORT = 13306
PASSWORD = "it's a \"secret\""


class MariaDb(Server):
    kind = "mysql"
    exactly_once = True

    def prepare(self):
        self.certificate = certificates.alone(self.folder)
        # A MariaDB that starts takes away all temporary tables of the folder for them, also those of another that runs.
        (self.folder / "tmp").mkdir()
        command = ["mariadb-install-db", "--no-defaults", "--user=root", f"--datadir={self.folder / 'data'}", "--skip-test-db"]
        succeed(*command, "--auth-root-authentication-method=normal", env=os.environ | {"TMPDIR": self.folder / "tmp"})
        word = PASSWORD.replace("'", "''")
        (self.folder / "init.sql").write_text(
            "CREATE DATABASE IF NOT EXISTS honeyplant;\n"
            f"CREATE USER IF NOT EXISTS 'honeyplant'@'%' IDENTIFIED BY '{word}' REQUIRE SSL;\n"
            "GRANT ALL ON honeyplant.* TO 'honeyplant'@'%';\n"
        )

    def sink(self):
        return f"""
            to = "127.0.0.1:{PORT}"
            password = '''{PASSWORD}'''
            tls = {{ ca = "{self.certificate}" }}
        """

    def start(self):
        settings = {
            "bind-address": "127.0.0.1",
            "port": PORT,
            "user": "root",
            "datadir": self.folder / "data",
            "tmpdir": self.folder / "tmp",
            "socket": self.folder / "socket",
            "pid-file": self.folder / "pid",
            "init-file": self.folder / "init.sql",
            "innodb-buffer-pool-size": "32M",
            "character-set-server": "latin1",
            "collation-server": "latin1_swedish_ci",
            "sql-mode": "ANSI",
            "skip-name-resolve": "ON",
            "ssl-cert": self.certificate,
            "ssl-key": self.folder / "server.key",
        }
        self.run("mariadbd", "--no-defaults", *(f"--{name}={value}" for name, value in settings.items()))
        self.until(lambda: self.ask("SELECT 1") == ["1"], "MariaDB to start")

    def ask(self, statement):
        """The rows of the answer, with tabs between the columns."""
        command = ["mariadb", "--no-defaults", "-N", "-B", f"--socket={self.folder / 'socket'}", "--user=root", "honeyplant"]
        command.append("--default-character-set=utf8mb4")
        done = subprocess.run([*command, "-e", statement], capture_output=True, text=True)
        if done.returncode != 0:
            raise OSError(done.stderr)
        return done.stdout.splitlines()

    def received(self):
        try:
            return self.ask("SELECT json_value(document, '$.event.id') FROM events ORDER BY sequence")
        except OSError as error:
            if "doesn't exist" in str(error):
                return []
            raise

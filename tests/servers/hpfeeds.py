"""The broker of hpfeeds from PyPI. It keeps no message, so a subscriber takes each at once; and the sensor has no rights
until that has subscribed."""

import socket
import sqlite3
import subprocess
import sys
from pathlib import Path

from servers import Server, kept

PORT = 10000
PROGRAMS = Path(sys.executable).parent
CHANNEL = "plant.events"


class Hpfeeds(Server):
    kind = "hpfeeds"

    def prepare(self):
        self.received_by = self.folder / "received"

    def sink(self):
        return f'to = "127.0.0.1:{PORT}"\nident = "sensor"\nsecret = "s3cr3t"\nchannel = "{CHANNEL}"\n'

    def start(self):
        broker = [PROGRAMS / "hpfeeds-broker", "--name", "test", "--auth", "sqlite"]
        self.run(*broker, "-e", f"tcp:interface=127.0.0.1:port={PORT}", cwd=self.folder)
        self.until(lambda: socket.create_connection(("127.0.0.1", PORT), 1).close() or True, "the broker to listen")
        self.allow("test", "t3st")
        script = Path(__file__).with_name("subscriber.py")
        self.run(sys.executable, "-P", script, "hpfeeds", str(PORT), self.received_by)
        there = self.marks()
        self.until(lambda: self.mark() or self.marks() > there, "the subscriber to hear")
        self.allow("sensor", "s3cr3t")

    def mark(self):
        publish = [PROGRAMS / "hpfeeds", "publish", "--host", "127.0.0.1", "-p", str(PORT), "-i", "test", "-s", "t3st"]
        subprocess.run([*publish, "-c", CHANNEL, '{"event":{"id":"mark"}}'], capture_output=True, timeout=10)

    def marks(self):
        return kept.lines(self.received_by).count("mark")

    def allow(self, ident, secret):
        self.rights("insert into authkeys (owner, ident, secret, pubchans, subchans) values (?, ?, ?, ?, ?)",
                    "test", ident, secret, f'["{CHANNEL}"]', f'["{CHANNEL}"]')  # fmt: skip

    def rights(self, change, *values):
        with sqlite3.connect(self.folder / "sqlite.db", timeout=10) as rights:
            rights.execute(change, values)

    def stop(self):
        super().stop()
        self.rights("delete from authkeys")

    def received(self):
        return [event for event in kept.lines(self.received_by) if event != "mark"]

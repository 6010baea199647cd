"""Mosquitto of Debian. It acknowledges a message before it has written it to its disk, and may lose it if it is killed in
the second after; so a subscriber whose session lasts takes each at once."""

import signal
import socket
import subprocess
import sys
from pathlib import Path

from servers import Server, certificates, kept, succeed

PORT = 11883


class Mqtt(Server):
    kind = "mqtt"

    def prepare(self):
        (self.folder / "passwords").touch(mode=0o600)
        for user, password in (("sensor", "s3cr3t"), ("test", "t3st")):
            succeed("mosquitto_passwd", "-b", self.folder / "passwords", user, password)
        (self.folder / "rules").write_text("user sensor\ntopic write plant/#\nuser test\ntopic read plant/#\n")
        (self.folder / "mosquitto.conf").write_text(
            f"listener {PORT} 127.0.0.1\nuser root\nallow_anonymous false\npassword_file {self.folder}/passwords\n"
            f"acl_file {self.folder}/rules\npersistence true\npersistence_location {self.folder}/\n"
            "autosave_interval 1\nautosave_on_changes true\nmax_queued_messages 0\nlog_dest stderr\n" + self.options()
        )
        # From now on there is a session that messages are queued for.
        self.start()
        self.received_by = self.folder / "received"
        log = (self.folder / "subscriber.log").open("w")
        command = [sys.executable, "-P", Path(__file__).with_name("subscriber.py"), "mqtt", str(PORT), self.received_by]
        self.subscriber = subprocess.Popen(command, stdout=log, stderr=log)
        self.until(lambda: "Sending SUBACK to test" in self.log(), "the subscriber")
        self.signal(signal.SIGTERM)
        self.until(lambda: self.processes[0].poll() is not None, "Mosquitto to have written its sessions")
        self.processes.clear()

    def options(self):
        return ""

    def sink(self):
        return (
            f'to = "127.0.0.1:{PORT}"\nuser = "sensor"\npassword = "s3cr3t"\ntopic = "plant/{{site}}/{{device}}/{{protocol}}"\n'
            'status = "plant/status"\n'
        )

    def start(self):
        self.run("mosquitto", "-v", "-c", self.folder / "mosquitto.conf")
        self.until(lambda: socket.create_connection(("127.0.0.1", PORT), 1).close() or True, "Mosquitto to listen")

    def received(self):
        return kept.lines(self.received_by)

    def __exit__(self, *_):
        super().__exit__()
        self.subscriber.kill()
        self.subscriber.wait()


class MqttTls(Mqtt):
    """The older version, and both show a certificate."""

    def options(self):
        certificates.make(self.folder)
        return (
            f"listener {PORT + 1} 127.0.0.1\ncafile {self.folder}/ca.pem\ncertfile {self.folder}/server.pem\n"
            f"keyfile {self.folder}/server.key\nrequire_certificate true\n"
        )

    def sink(self):
        files = f'ca = "{self.folder}/ca.pem", certificate = "{self.folder}/client.pem", key = "{self.folder}/client.key"'
        return super().sink().replace(f"127.0.0.1:{PORT}", f"localhost:{PORT + 1}") + f'version = "3.1.1"\ntls = {{ {files} }}\n'

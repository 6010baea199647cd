"""rsyslogd of Debian. It has no queue here: what it reads it writes to its file before it reads on, so that a connection
that it hangs up was written to its end."""

import re
import socket

from servers import Server, certificates

PORT = 10514
EVENT = re.compile(rb'(?: id="|externalId=|"event":\{"id":")([0-9a-f]{8}-\d+)(?=\D)')


class Syslog(Server):
    kind = "syslog"
    inputs = f'module(load="imtcp") input(type="imtcp" port="{PORT}" address="127.0.0.1")'
    settings = f'to = "127.0.0.1:{PORT}"\n'

    def prepare(self):
        (self.folder / "rsyslog.conf").write_text(
            f'global(workDirectory="{self.folder}" {self.options()})\n'
            f'main_queue(queue.type="Direct")\n{self.inputs.format(folder=self.folder)}\n'
            f'template(name="raw" type="string" string="%rawmsg%\\n")\n'
            f'action(type="omfile" file="{self.folder}/received" template="raw")\n'
        )

    def options(self):
        return ""

    def sink(self):
        return self.settings.format(folder=self.folder)

    def start(self):
        self.run("rsyslogd", "-n", "-i", self.folder / "pid", "-f", self.folder / "rsyslog.conf")
        self.until(self.listens, "rsyslogd to listen")

    def listens(self):
        socket.create_connection(("127.0.0.1", PORT), 1).close()
        return True

    def received(self):
        return [event.decode() for event in EVENT.findall((self.folder / "received").read_bytes())]


class SyslogTls(Syslog):
    """Both show a certificate; CEF."""

    inputs = (
        'module(load="imtcp" streamDriver.name="ossl" streamDriver.mode="1" streamDriver.authMode="x509/certvalid")\n'
        f'input(type="imtcp" port="{PORT}" address="127.0.0.1")'
    )
    settings = (
        f'to = "localhost:{PORT}"\ntransport = "tls"\nformat = "cef"\n'
        'tls = {{ ca = "{folder}/ca.pem", certificate = "{folder}/client.pem", key = "{folder}/client.key" }}\n'
    )

    def options(self):
        names = {"CAFile": "ca.pem", "CertFile": "server.pem", "KeyFile": "server.key"}
        return " ".join(f'defaultNetstreamDriver{option}="{self.folder}/{name}"' for option, name in names.items())

    def prepare(self):
        super().prepare()
        certificates.make(self.folder)


class SyslogUdp(Syslog):
    acknowledges = False
    inputs = f'module(load="imudp") input(type="imudp" port="{PORT}" address="127.0.0.1")'
    settings = f'to = "127.0.0.1:{PORT}"\ntransport = "udp"\n'

    def listens(self):
        with open("/proc/net/udp") as sockets:
            return f":{PORT:04X} " in sockets.read()


class SyslogLocal(Syslog):
    """The socket of this machine; JSON."""

    inputs = 'module(load="imuxsock" sysSock.use="off") input(type="imuxsock" socket="{folder}/log.socket")'
    settings = 'to = "{folder}/log.socket"\nformat = "ecs"\n'

    def listens(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as there:
            there.connect(str(self.folder / "log.socket"))
        return True

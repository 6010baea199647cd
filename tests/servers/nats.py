"""NATS JetStream: the real server, with TLS and a user, and with all else that it lets log in. Its version 2.9 has no `sync_interval: always`; what is acknowledged is
written to the file system, which a process that is killed does not take back."""

import json
import secrets
import socket
import ssl

from servers import Server, certificates, nkeys

PORT = 4222


class Nats(Server):
    kind = "nats"

    def prepare(self):
        (self.folder / "nats.conf").write_text(
            f'listen: "127.0.0.1:{PORT}"\njetstream {{ store_dir: "{self.folder}/store" }}\n' + self.options()
        )

    def options(self):
        """The lines by which the server knows who may log in."""
        certificates.alone(self.folder)
        return (
            'authorization { user: "sensor", password: "s e c r e t" }\n'
            f'tls {{ cert_file: "{self.folder}/server.pem", key_file: "{self.folder}/server.key" }}\n'
        )

    def login(self, nonce):
        """What a client says of itself."""
        return {"user": "sensor", "pass": "s e c r e t"}

    def settings(self):
        """What the sink is told of that."""
        return f'user = "sensor"\npassword = "s e c r e t"\ntls = {{ ca = "{self.folder}/server.pem" }}\n'

    def sink(self):
        return f'servers = ["127.0.0.1:{PORT}"]\ncreate = {{}}\n' + self.settings()

    def start(self):
        self.run("nats-server", "-c", self.folder / "nats.conf")
        self.until(self.connect, "the server to answer").close()

    def connect(self):
        return Client(self)

    def received(self):
        with self.connect() as client:
            stream = client.ask("$JS.API.STREAM.INFO.HONEYPLANT")
            if "error" in stream:
                return []
            # A consumer of the moment that is sent all there is.
            client.write(f"SUB deliver.{client.inbox} 2\r\n")
            config = {"deliver_subject": f"deliver.{client.inbox}", "deliver_policy": "all", "ack_policy": "none"}
            made = client.ask("$JS.API.CONSUMER.CREATE.HONEYPLANT", {"stream_name": "HONEYPLANT", "config": config})
            assert "error" not in made, made
            return [json.loads(client.message("2"))["event"]["id"] for _ in range(made["num_pending"])]


class NatsToken(Nats):
    """Whoever has the token."""

    def options(self):
        return 'authorization { token: "s e c r e t" }\n'

    def login(self, nonce):
        return {"auth_token": "s e c r e t"}

    def settings(self):
        return 'token = "s e c r e t"\n'


class NatsKey(Nats):
    """Whoever has the key."""

    def options(self):
        self.key = nkeys.Key(self.folder, "user")
        return f"authorization {{ users: [ {{ nkey: {self.key.public} }} ] }}\n"

    def login(self, nonce):
        return {"nkey": self.key.public, "sig": self.key.sign(nonce.encode())}

    def settings(self):
        return f'nkey = "{self.key.seed}"\n'


class NatsCredentials(Nats):
    """Whom an account vouches for, and the operator for that."""

    def options(self):
        operator, account, self.user = (nkeys.Key(self.folder, kind) for kind in ("operator", "account", "user"))
        system = nkeys.Key(self.folder, "account", "system")
        most = dict.fromkeys(("subs", "data", "payload"), -1)
        limits = most | dict.fromkeys(("conn", "leaf", "imports", "exports"), -1) | {"wildcards": True}
        store = dict.fromkeys(("mem_storage", "disk_storage", "streams", "consumer"), -1)
        self.token = account.vouches(self.user, **most)
        (self.folder / "user.creds").write_text(
            f"-----BEGIN NATS USER JWT-----\n{self.token}\n------END NATS USER JWT------\n\n"
            f"-----BEGIN USER NKEY SEED-----\n{self.user.seed}\n------END USER NKEY SEED------\n"
        )
        accounts = ((account, limits | store), (system, limits))
        accounts = [f"{one.public}: {operator.vouches(one, limits=what)}" for one, what in accounts]
        return (
            f"operator: {operator.vouches(operator)}\nresolver: MEMORY\nsystem_account: {system.public}\n"
            f"resolver_preload: {{ {', '.join(accounts)} }}\n"
        )

    def login(self, nonce):
        return {"jwt": self.token, "sig": self.user.sign(nonce.encode())}

    def settings(self):
        return f'credentials = "{self.folder}/user.creds"\n'


class Client:
    """As much of a client as it takes to read a stream."""

    def __init__(self, server):
        # One of its own, as what an earlier client asked for goes on for a while.
        self.inbox = f"inbox.{secrets.token_hex(8)}"
        self.waiting = []
        self.socket = socket.create_connection(("127.0.0.1", PORT), 5)
        try:
            greeting = b""
            while not greeting.endswith(b"\n"):
                greeting += self.socket.recv(1) or b"\n"
            told = json.loads(greeting.removeprefix(b"INFO "))
            if told.get("tls_required"):
                context = ssl.create_default_context(cafile=server.folder / "server.pem")
                self.socket = context.wrap_socket(self.socket, server_hostname="127.0.0.1")
        except BaseException:
            self.socket.close()
            raise
        self.file = self.socket.makefile("rb")
        about = {"verbose": False, "headers": True, "lang": "python", "version": "1", **server.login(told.get("nonce", ""))}
        self.write(f"CONNECT {json.dumps(about)}\r\nSUB {self.inbox} 1\r\nPING\r\n")
        while (line := self.file.readline()) != b"PONG\r\n":
            if not line or line.startswith(b"-ERR"):
                raise ConnectionError(line)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def write(self, text):
        self.socket.sendall(text.encode())

    def ask(self, subject, body=None):
        payload = json.dumps(body) if body else ""
        self.write(f"PUB {subject} {self.inbox} {len(payload)}\r\n{payload}\r\n")
        return json.loads(self.message("1"))

    def message(self, subscription):
        """The text of the next message for this subscription; those for others wait until they are asked for."""
        for at, (number, payload) in enumerate(self.waiting):
            if number == subscription:
                del self.waiting[at]
                return payload
        while line := self.file.readline().decode():
            head = line.split()
            if head[0] == "PING":
                self.write("PONG\r\n")
            elif head[0] in ("MSG", "HMSG"):
                headers = int(head[-2]) if head[0] == "HMSG" else 0
                payload = self.file.read(int(head[-1]) + 2)[headers:-2]
                if head[2] == subscription:
                    return payload
                self.waiting.append((head[2], payload))
        raise ConnectionError("the server hung up")

"""Redis of Debian, which writes what it is told to its disk before it answers."""

import socket
import ssl

from servers import Server, certificates

PORT = 16379


class Redis(Server):
    kind = "redis"
    exactly_once = True

    def prepare(self):
        # What Redis reads back at its start, it reads as the default user.
        rules = "user default on >t3st ~* +@all\nuser sensor on >s3cr3t ~plant ~{plant}:* -@all +auth +eval +xadd +get +set +type +xlen +select\n"
        (self.folder / "users.acl").write_text(rules)

    def sink(self):
        return f'to = "127.0.0.1:{PORT}"\nstream = "plant"\nuser = "sensor"\npassword = "s3cr3t"\nkeep = 1000000\n'

    def options(self):
        """Where it listens."""
        return ["--port", str(PORT)]

    def start(self):
        self.run(
            "redis-server", "--bind", "127.0.0.1", *self.options(), "--dir", self.folder, "--save", "",
            "--appendonly", "yes", "--appendfsync", "always", "--aclfile", self.folder / "users.acl",
        )  # fmt: skip
        self.until(lambda: self.ask("PING") == b"PONG", "Redis to answer")

    def received(self):
        entries = self.ask("XRANGE", "plant", "-", "+")
        return [dict(zip(fields[::2], fields[1::2]))[b"id"].decode() for _, fields in entries]

    def wire(self):
        return socket.create_connection(("127.0.0.1", PORT), 5)

    def ask(self, *words):
        with self.wire() as wire, wire.makefile("rb") as answers:
            for command in (("AUTH", "t3st"), words):
                parts = [f"*{len(command)}\r\n", *(f"${len(word)}\r\n{word}\r\n" for word in command)]
                wire.sendall("".join(parts).encode())
                answer = self.read(answers)
            return answer

    def read(self, answers):
        line = answers.readline().rstrip(b"\r\n")
        match line[:1]:
            case b"*":
                return [self.read(answers) for _ in range(int(line[1:]))]
            case b"$":
                return answers.read(int(line[1:]) + 2)[:-2]
            case b"+" | b":":
                return line[1:]
        raise OSError(line)


class RedisTls(Redis):
    """Both show a certificate."""

    def prepare(self):
        super().prepare()
        certificates.make(self.folder)

    def options(self):
        files = {"--tls-ca-cert-file": "ca.pem", "--tls-cert-file": "server.pem", "--tls-key-file": "server.key"}
        named = [word for option, name in files.items() for word in (option, self.folder / name)]
        return ["--port", "0", "--tls-port", str(PORT), *named]

    def sink(self):
        files = f'ca = "{self.folder}/ca.pem", certificate = "{self.folder}/client.pem", key = "{self.folder}/client.key"'
        return super().sink().replace("127.0.0.1", "localhost") + f"tls = {{ {files} }}\n"

    def wire(self):
        context = ssl.create_default_context(cafile=self.folder / "ca.pem")
        context.load_cert_chain(self.folder / "client.pem", self.folder / "client.key")
        return context.wrap_socket(super().wire(), server_hostname="localhost")

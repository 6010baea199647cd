"""RabbitMQ: the real broker, with TLS and a user of its own, its data in the server's folder. It runs by itself, without the
service of the distribution."""

import json
import os
import ssl

import pika

from servers import Server, certificates

PORT, EPMD, DISTRIBUTION = 5671, 24369, 24672
LIBRARY = "/usr/lib/rabbitmq/bin"


class RabbitMq(Server):
    kind = "amqp"

    def prepare(self):
        certificates.alone(self.folder)
        (self.folder / "rabbitmq.conf").write_text(
            f"""listeners.tcp = none
listeners.ssl.1 = 127.0.0.1:{PORT}
ssl_options.certfile = {self.folder}/server.pem
ssl_options.keyfile = {self.folder}/server.key
default_user = sensor
default_pass = s e c r e t
loopback_users = none
log.console = true
log.file = false
"""
        )
        (self.folder / "enabled_plugins").write_text("[].\n")
        (self.folder / "advanced.config").write_text("[].\n")
        # No name is resolved in a network that has no names: the node is at an address.
        self.environment = os.environ | {
            "HOME": str(self.folder),
            "HOSTNAME": "localhost",
            "RABBITMQ_NODENAME": "honeyplant@127.0.0.1",
            "RABBITMQ_USE_LONGNAME": "true",
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(self.folder / "advanced.config"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "enabled_plugins"),
            "RABBITMQ_CONF_ENV_FILE": str(self.folder / "none"),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self.folder / "log.d"),
            "RABBITMQ_PID_FILE": str(self.folder / "pid"),
            "RABBITMQ_DIST_PORT": str(DISTRIBUTION),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
            "ERL_EPMD_PORT": str(EPMD),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
        }

    def sink(self):
        return (
            f'to = "127.0.0.1:{PORT}"\nuser = "sensor"\npassword = "s e c r e t"\nqueue = "events"\n'
            f'tls = {{ ca = "{self.folder}/server.pem" }}\n'
        )

    def start(self):
        self.run("epmd", env=self.environment)
        self.run(f"{LIBRARY}/rabbitmq-server", env=self.environment)
        self.until(self.connect, "the broker to answer").close()

    def connect(self):
        context = ssl.create_default_context(cafile=self.folder / "server.pem")
        parameters = pika.ConnectionParameters(
            "127.0.0.1",
            PORT,
            credentials=pika.PlainCredentials("sensor", "s e c r e t"),
            ssl_options=pika.SSLOptions(context, "127.0.0.1"),
            socket_timeout=5,
            blocked_connection_timeout=5,
        )
        try:
            return pika.BlockingConnection(parameters)
        except pika.exceptions.AMQPError as error:
            raise ConnectionError(repr(error)) from error

    def received(self):
        connection = self.connect()
        try:
            channel = connection.channel()
            # What is fetched and not acknowledged goes back to its place.
            there = []
            while True:
                method, _, body = channel.basic_get("events")
                if method is None:
                    return there
                there.append(json.loads(body)["event"]["id"])
        except pika.exceptions.ChannelClosedByBroker as error:
            if error.reply_code == 404:
                return []
            raise
        finally:
            connection.close()

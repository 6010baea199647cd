"""ClickHouse 18.16, the oldest that the sink promises, as Debian has no other."""

import urllib.error
import urllib.parse
import urllib.request

from . import Server

PORT = 18123


class ClickHouse(Server):
    kind = "clickhouse"
    exactly_once = True

    def prepare(self):
        (self.folder / "config.xml").write_text(f"""<yandex>
            <logger><level>warning</level><console>1</console></logger>
            <listen_host>127.0.0.1</listen_host><http_port>{PORT}</http_port>
            <path>{self.folder}/data/</path><tmp_path>{self.folder}/tmp/</tmp_path>
            <mark_cache_size>5368709</mark_cache_size>
            <users_config>{self.folder}/users.xml</users_config>
            <default_profile>default</default_profile><default_database>default</default_database>
        </yandex>""")
        (self.folder / "users.xml").write_text("""<yandex>
            <profiles><default/></profiles><quotas><default/></quotas>
            <users><sensor>
                <password>it-is-secret</password><networks><ip>127.0.0.1</ip></networks>
                <profile>default</profile><quota>default</quota>
            </sensor></users>
        </yandex>""")

    def sink(self):
        return f'url = "http://127.0.0.1:{PORT}"\nuser = "sensor"\npassword = "it-is-secret"\n'

    def start(self):
        self.run("clickhouse-server", f"--config-file={self.folder / 'config.xml'}")
        self.until(lambda: self.ask("SELECT 1") == ["1"], "ClickHouse to start")

    def ask(self, statement):
        """The rows of the answer, with tabs between the columns."""
        fields = {"X-ClickHouse-User": "sensor", "X-ClickHouse-Key": "it-is-secret"}
        request = urllib.request.Request(f"http://127.0.0.1:{PORT}/", statement.encode(), fields)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.read().decode().splitlines()
        except urllib.error.HTTPError as error:
            raise OSError(error.read().decode()) from None

    def received(self):
        try:
            return self.ask("SELECT id FROM honeyplant_events FINAL ORDER BY install, sequence")
        except OSError as error:
            if "doesn't exist" in str(error):
                return []
            raise

"""The record in a database: the questions of the documentation, and the commands that ask it."""

import csv
import ftplib
import io
import json
import re
import sqlite3
import subprocess

import pytest
from conftest import BINARY, DEMO, ROOT, Peer, honeyplant, wait_until

STORE = "127.0.30.2"
SITE = ROOT / "tests/sites/files"
DOCUMENT = (ROOT / "docs/databases.md").read_text()
QUESTIONS = dict(re.findall(r"^(\S[^\n]*\?)\n\n```sql\n(.*?);\n```$", DOCUMENT, re.M | re.S))
PAYLOAD = b"payload \x00\xff" * 10


def attack(plant):
    """A run with writes at one site, and logins and an upload at another. Both are of the same install."""
    plant.start()
    with Peer() as peer:
        peer.ask("03 0000 0001")
        peer.ask("10 0190 0002 04 0001 0002")
        peer.ask("05 012c ff00")
        peer.ask("05 0001 ff00")
    plant.stop()
    plant.start(SITE, listens=(STORE, 21))
    for secret in ["admin", "=cmd|'/c calc'!A1", "s3cret"]:
        with ftplib.FTP(timeout=20, source_address=("127.0.0.9", 0)) as ftp:
            ftp.connect(STORE, 21)
            try:
                ftp.login("op", secret)
                ftp.storbinary("STOR left.bin", io.BytesIO(PAYLOAD))
            except ftplib.error_perm:
                pass
    wait_until(lambda: len(plant.events("upload")) == 1, "the upload to be recorded")
    plant.stop()


def sqlite(plant):
    """Asks the database of the state folder."""
    connection = sqlite3.connect(f"file:{plant.state}/honeyplant.db?mode=ro", uri=True)
    connection.row_factory = sqlite3.Row
    return lambda sql: [dict(row) for row in connection.execute(sql)]


def holds(ask, plant):
    """That the answers to the questions of the documentation are what the run was."""
    answers = [ask(question) for question in QUESTIONS.values()]
    writes, furthest, logins, days, artefacts, wide, tools, around, slow, countries = answers
    assert {(row["source"], row["old_values"], row["new_values"]) for row in writes} >= {
        ("127.0.0.1", "[0,0]", "[1,2]"),
        ("127.0.0.1", "[false]", "[true]"),
    }
    assert furthest[0]["tactic"] == "Impair Process Control" and furthest[0]["protocol"] == "modbus"
    assert {(row["user_name"], row["secret"], bool(row["let_in"])) for row in logins} == {
        ("op", "admin", False),
        ("op", "=cmd|'/c calc'!A1", False),
        ("op", "s3cret", True),
    }
    assert sum(row["new_sources"] for row in days) == 2
    assert [(row["size"], row["times"], row["source"], row["action"]) for row in artefacts] == [
        (len(PAYLOAD), 1, "127.0.0.9", "upload")
    ]
    assert wide == []
    assert {row["protocol"] for row in tools} == {"modbus", "ftp"}
    assert 10 <= len(around) <= 21 and any("left.bin" in row["message"] for row in around)
    assert {row["source"] for row in slow} == {"127.0.0.1", "127.0.0.9"}
    assert sum(row["sources"] for row in countries) == 2
    # Of each event there is one row, with the whole document.
    events = ask("SELECT install, sequence, document FROM events ORDER BY sequence")
    assert [f"{row['install']}-{row['sequence']}" for row in events] == [event["event"]["id"] for event in plant.events()]


def test_the_questions_of_the_documentation_have_answers(plant):
    assert len(QUESTIONS) == 10
    attack(plant)
    ask = sqlite(plant)
    holds(ask, plant)
    assert [row["document"] for row in ask("SELECT document FROM events ORDER BY sequence")] == plant.lines()


def test_every_column_is_documented(plant):
    plant.start()
    plant.stop()
    ask = sqlite(plant)
    for table in [row["name"] for row in ask("SELECT name FROM sqlite_schema WHERE type = 'table'")]:
        _, text = DOCUMENT.split(f"\n### {table}\n")
        text = text.split("\n#", 1)[0]
        rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
        documented = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
        assert documented == {row["name"] for row in ask(f"PRAGMA table_info({table})")}, table


def test_the_record_is_asked_with_filters(plant):
    attack(plant)

    def lines(*arguments):
        return [json.loads(line) for line in plant.tell("events", "--json", *arguments).splitlines()]

    assert lines() == plant.events()
    assert {event["event"]["action"] for event in lines("--min-severity", "8", "--tactic", "TA0106")} == {"write"}
    assert len(lines("--action", "login", "--outcome", "failure")) == 2
    assert len(lines("--user", "op")) == 3 and lines("--user", "root") == []
    assert {event["source"]["ip"] for event in lines("--source", "127.0.0.8/29")} == {"127.0.0.9"}
    assert len(lines("--text", "LEFT.BIN")) >= 1
    assert len(lines("--last", "3")) == 3 and lines("--until", "1h") == []
    session = lines("--action", "upload")[0]["honeyplant"]["session"]["id"]
    assert {event["honeyplant"]["session"]["id"] for event in lines("--session", session)} == {session}

    sessions = [json.loads(line) for line in plant.tell("sessions", "--json").splitlines()]
    assert len(sessions) == 4
    modbus = sessions[0]
    assert modbus["protocol"] == "modbus" and modbus["severity"] >= 8 and modbus["tactic"] == "Impair Process Control"
    assert modbus["actions"]["write"] == 3 and modbus["tags_written"] == ["pump_2_run"] and "T0836" in modbus["techniques"]
    assert [json.loads(line)["protocol"] for line in plant.tell("sessions", "--json", "--action", "write").splitlines()] == ["modbus"]
    text = plant.tell("sessions", "--protocol", "modbus")
    assert "127.0.0.1" in text and "write 3" in text and "wrote pump_2_run" in text and "Impair Process Control" in text, text
    assert len(plant.tell("sessions", "--last", "2").splitlines()) == 2


def test_comma_separated_values_run_nothing_in_a_spreadsheet(plant):
    attack(plant)
    done = subprocess.run([BINARY, "--state", plant.state, "events", "--csv"], capture_output=True, check=True)
    assert done.stdout.count(b"\r\n") == len(plant.lines()) + 1
    rows = list(csv.DictReader(io.StringIO(done.stdout.decode(), newline="")))
    assert [row["message"] for row in rows] == [event["message"] for event in plant.events()]
    sessions = list(csv.DictReader(io.StringIO(plant.tell("sessions", "--csv"))))
    assert [row["protocol"] for row in sessions] == ["modbus", "ftp", "ftp", "ftp"]
    for row in rows + sessions:
        assert not any(value.startswith(("=", "+", "-", "@")) for value in row.values() if value), row


def test_documents_of_many_sensors_are_asked_in_one_place(tmp_path, plant):
    attack(plant)
    ours = plant.lines()
    others = [line.replace(json.loads(line)["event"]["id"].split("-")[0], "feedbeef") for line in ours]
    stream = tmp_path / "stream.jsonl"
    # What a broker delivered twice counts once.
    stream.write_text("\n".join([*ours, *others, *ours[:5], "not json", *others]))
    told = honeyplant("events", "--json", "--from", stream)
    assert [line for line in told.splitlines() if line.startswith("{")] == ours + others
    assert "one line was no event" in told
    assert len(honeyplant("sessions", "--from", stream).splitlines()) == 8 + 1
    told = subprocess.run(
        [BINARY, "sessions", "--json", "--from", "-"], input=stream.read_text(), capture_output=True, text=True, check=True
    )
    assert {json.loads(line)["install"] for line in told.stdout.splitlines()} > {"feedbeef"}


def test_a_stream_is_shown_as_it_comes(plant):
    attack(plant)
    command = [BINARY, "events", "--json", "--follow", "--from", "-"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as console:
        for line in plant.lines()[:20]:
            console.stdin.write(line + "\n")
            console.stdin.flush()
            assert console.stdout.readline() == line + "\n"
        console.stdin.close()
        assert console.wait(20) == 0


def test_sessions_are_followed(demo):
    command = [BINARY, "--state", demo.state, "sessions", "--follow", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as console:
        for number in range(3):
            with Peer() as peer:
                for _ in range(number + 1):
                    peer.ask("05 012c ff00")
            while json.loads(line := console.stdout.readline()).get("ending") is None:
                pass
            assert json.loads(line)["exchanges"] == number + 1
        console.terminate()


def test_the_record_is_asked_without_a_database(plant, tmp_path):
    text = (SITE / "site.toml").read_text()
    folder = tmp_path / "site"
    subprocess.run(["cp", "-r", SITE, folder], check=True)
    (folder / "site.toml").write_text(text + "\n[sinks]\nsqlite = []\n")
    plant.start(folder, listens=(STORE, 21))
    plant.stop()
    assert plant.tell("events", "--json").splitlines() == plant.lines()
    assert not (plant.state / "honeyplant.db").exists()


@pytest.mark.parametrize("how", ["gone", "damaged"])
def test_a_database_is_made_anew_from_the_journal(plant, tmp_path, how):
    attack(plant)
    path = plant.state / "honeyplant.db"
    if how == "gone":
        path.unlink()
        plant.start()
    else:
        path.write_bytes(b"no database" * 1000)
        said = honeyplant("--state", plant.state, "events", code=1)
        assert "is damaged" in said and "move it" in said, said
        plant.start()
        wait_until(lambda: "is damaged" in plant.log.read_text(), "the operator to be told")
        path.rename(tmp_path / "aside")
        wait_until(lambda: "sqlite works again" in plant.log.read_text(), "the database to be made anew")
    plant.stop()
    ask = sqlite(plant)
    assert [row["document"] for row in ask("SELECT document FROM events ORDER BY sequence")] == plant.lines()
    assert ask("SELECT sum(events) AS n FROM sessions")[0]["n"] == sum(
        event["honeyplant"].get("repeated", 1) for event in plant.events() if "session" in event["honeyplant"]
    )


def test_a_database_that_may_not_be_written_is_read(plant):
    attack(plant)
    expected = plant.lines()
    reader = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    for folder in [plant.state, *plant.state.parents[:3]]:
        folder.chmod(0o755)
    plant.state.chmod(0o555)
    binary = plant.state.parent / "binary"
    binary.write_bytes(BINARY.read_bytes())
    binary.chmod(0o755)
    done = subprocess.run([*reader, binary, "--state", plant.state, "events", "--json"], capture_output=True, text=True)
    plant.state.chmod(0o755)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == expected


def test_a_killed_site_has_each_event_once(plant):
    for _ in range(3):
        plant.start()
        with Peer() as peer:
            for number in range(400):
                peer.ask(f"03 {number % 100:04x} {number % 7 + 1:04x}")
            told = plant.tell("events", "--json", "--action", "read")
            plant.kill()
        assert told
    plant.start()
    plant.stop()
    ask = sqlite(plant)
    assert [row["document"] for row in ask("SELECT document FROM events ORDER BY rowid")] == plant.lines()
    assert ask("SELECT sum(events) AS n FROM actors")[0]["n"] == sum(
        event["honeyplant"].get("repeated", 1) for event in plant.events() if "source" in event
    )


def test_demo_can_be_asked_while_it_runs(demo):
    with Peer(DEMO) as peer:
        for number in range(50):
            peer.ask(f"05 {number:04x} ff00")
            assert len(demo.tell("events", "--action", "write").splitlines()) <= number + 2
    wait_until(lambda: len(demo.tell("events", "--json", "--action", "write").splitlines()) == 50, "all writes")

"""FTP with real clients: whole trees both ways, byte for byte, and what must not be possible."""

import concurrent.futures
import ftplib
import hashlib
import io
import random
import re
import socket
import subprocess
import threading

import pytest
from conftest import DEMO, PATIENCE, ROOT, honeyplant, wait_until

SITE = ROOT / "tests/sites/files"
STORE = "127.0.30.2"
USER, SECRET = "op", "s3cret"
PLAIN = "set ftp:ssl-allow no"
OCTETS = bytes(range(256)) * 16


@pytest.fixture
def store(plant):
    return plant.start(SITE, listens=(STORE, 21))


def run(*command, code=0):
    done = subprocess.run(command, capture_output=True, timeout=PATIENCE * 3)
    assert done.returncode == code, f"{command}: exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def lftp(script, settings=PLAIN):
    settings = f"set net:max-retries 1; set net:timeout 5; set cmd:fail-exit yes; set ssl:verify-certificate no; {settings}"
    return run("lftp", "--norc", "-e", f"{settings}; {script}; bye", "-u", f"{USER},{SECRET}", f"ftp://{STORE}").decode()


def connect(kind=ftplib.FTP, user=USER, secret=SECRET, source="127.0.0.1", **options):
    ftp = kind(timeout=PATIENCE, source_address=(source, 0), **options)
    ftp.connect(STORE, 21)
    ftp.login(user, secret)
    return ftp


def get(ftp, path, **options):
    parts = []
    ftp.retrbinary(f"RETR {path}", parts.append, **options)
    return b"".join(parts)


def put(ftp, path, octets, **options):
    ftp.storbinary(f"STOR {path}", io.BytesIO(octets), **options)


def recorded(plant, action, count):
    """The first so many events, which are in the journal a little after the answer was heard."""
    wait_until(lambda: len(plant.events(action)) >= count, f"{count} times {action}")
    return plant.events(action)


def tree(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def kept(plant, octets):
    """The octets as an artefact, found by their name."""
    file = plant.state / "artefacts" / hashlib.sha256(octets).hexdigest()
    wait_until(file.exists, "the artefact")
    return file.read_bytes() == octets and file.stat().st_mode & 0o777 == 0o400 | file.stat().st_mode & 0o200


@pytest.mark.parametrize("settings", [PLAIN, f"{PLAIN}; set ftp:passive-mode no", "set ftp:ssl-force yes"])
def test_lftp_mirrors_a_tree_both_ways(store, tmp_path, settings):
    chance = random.Random(5)
    here, back = tmp_path / "here", tmp_path / "back"
    for number in range(50):
        file = here / f"folder {number % 7}" / "ä" / f"file-{number}.bin"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(chance.randbytes(chance.randrange(20_000)))
    lftp(f"mirror -R {here} /there; mirror /there {back}", settings=settings)
    assert tree(back) == tree(here)
    uploads = recorded(store, "upload", 50)
    assert [event["event"]["outcome"] for event in uploads] == ["success"] * 50
    assert all(kept(store, octets) for octets in tree(here).values())


def test_lftp_reads_the_profiles_own_tree(store, tmp_path):
    lftp(f"mirror /pub {tmp_path / 'pub'}; mirror /rom {tmp_path / 'rom'}")
    serial = store.identity("store")["serial"]
    assert (tmp_path / "pub/octets.bin").read_bytes() == OCTETS
    assert (tmp_path / "pub/manuals/first.txt").read_text() == f"Manual of {serial}.\nIts second line.\n"
    assert len((tmp_path / "rom/boot.bin").read_bytes()) == 32768


@pytest.mark.parametrize("host", [STORE, "[::1]"])
@pytest.mark.parametrize(
    "options",
    [[], ["--disable-epsv"], ["--ftp-port", "-"], ["--ftp-port", "-", "--disable-eprt"], ["--ssl-reqd", "-k"]],
    ids=" ".join,
)
def test_curl_downloads_and_uploads(store, tmp_path, host, options):
    if host == "[::1]" and ("--disable-epsv" in options or "--disable-eprt" in options):
        pytest.skip("there is no other way over IPv6")
    curl = ["curl", "-sS", "-g", "--max-time", "15", "-u", f"{USER}:{SECRET}", *options]
    assert run(*curl, f"ftp://{host}/pub/octets.bin") == OCTETS
    assert b"manuals" in run(*curl, f"ftp://{host}/pub/")
    assert run(*curl, "-r", "100-", f"ftp://{host}/pub/octets.bin") == OCTETS[100:]
    octets = random.Random(1).randbytes(300_000)
    (tmp_path / "up").write_bytes(octets)
    run(*curl, "-T", str(tmp_path / "up"), "--ftp-create-dirs", f"ftp://{host}/new/folder/up")
    assert run(*curl, f"ftp://{host}/new/folder/up") == octets
    assert kept(store, octets)


@pytest.mark.parametrize("kind", [ftplib.FTP, ftplib.FTP_TLS])
@pytest.mark.parametrize("passive", [True, False])
def test_every_method_of_ftplib(store, kind, passive):
    ftp = connect(kind)
    if kind is ftplib.FTP_TLS:
        ftp.prot_p()
    ftp.set_pasv(passive)
    assert ftp.getwelcome().startswith("220")
    assert ftp.pwd() == "/"
    assert ftp.mkd("/a") == "/a"
    ftp.cwd("a")
    put(ftp, "octets", OCTETS)
    assert get(ftp, "octets") == OCTETS
    assert get(ftp, "octets", rest=4000) == OCTETS[4000:]
    put(ftp, "octets", b"end", rest=4096)
    assert ftp.size("octets") == 4099
    ftp.storlines("STOR lines", io.BytesIO(b"one\r\ntwo\r\n"))
    lines = []
    ftp.retrlines("RETR lines", lines.append)
    assert lines == ["one", "two"]
    ftp.storbinary("APPE lines", io.BytesIO(b"three"))
    assert get(ftp, "lines").endswith(b"three")
    assert sorted(name.rsplit("/")[-1] for name in ftp.nlst()) == ["lines", "octets"]
    listing = []
    ftp.dir(listing.append)
    assert any(re.match(r"-rw-r--r--\s+1 op\s+staff\s+4099 \w{3} .{2} \d\d:\d\d octets$", line) for line in listing), listing
    facts = dict(ftp.mlsd(facts=["type", "size"]))
    assert facts["octets"] == {"type": "file", "size": "4099"}
    ftp.rename("octets", "../moved")
    assert ftp.size("/moved") == 4099
    assert re.fullmatch(r"213 \d{14}", ftp.sendcmd("MDTM /moved"))
    ftp.voidcmd("NOOP")
    assert ftp.sendcmd("SYST").startswith("215")
    with pytest.raises(ftplib.error_perm):
        ftp.rmd("/a")
    ftp.delete("lines")
    ftp.cwd("..")
    ftp.rmd("/a")
    ftp.delete("/moved")
    with pytest.raises(ftplib.error_perm):
        ftp.delete("/moved")
    transfer = ftp.transfercmd("RETR /rom/boot.bin")
    transfer.close()
    try:
        ftp.voidresp()
    except ftplib.error_temp:
        pass  # the end was not taken
    assert ftp.sendcmd("NOOP").startswith("200")
    assert ftp.quit().startswith("221")


def test_modes_quotas_and_volumes_are_kept(store):
    ftp = connect()
    for path in ["/rom/new", "/private/new"]:
        with pytest.raises(ftplib.error_perm):
            put(ftp, path, b"x")
    # A device that has no more room closes the channel, which ftplib may hear of before the refusal.
    for path, size in [("/ram/large", 100_000), ("/huge", 9 << 20)]:
        with pytest.raises((ftplib.error_perm, ftplib.error_temp, OSError)):
            put(connect(), path, bytes(size))
    ftp = connect()
    put(ftp, "/pub/fits", bytes(8 << 20))
    assert get(ftp, "/current/first.txt").startswith(b"Manual of ")
    with pytest.raises(ftplib.error_perm):
        get(ftp, "/private/x")


def test_nobody_sees_what_another_source_left(store):
    mine, other = connect(), connect(source="127.0.0.77")
    put(mine, "/drop.bin", b"MZ")
    mine.delete("/pub/octets.bin")
    assert "drop.bin" not in other.nlst("/")
    assert get(other, "/pub/octets.bin") == OCTETS
    assert get(connect(), "/drop.bin") == b"MZ"


def test_anonymous_looks_and_changes_nothing(store):
    ftp = connect(user="anonymous", secret="guest@example.org")
    assert ftp.pwd() == "/pub"
    assert get(ftp, "octets.bin") == OCTETS
    for change in [lambda: put(ftp, "x", b""), lambda: ftp.delete("octets.bin"), lambda: ftp.mkd("y")]:
        with pytest.raises(ftplib.error_perm):
            change()
    login = recorded(store, "login", 1)[-1]
    assert (login["event"]["outcome"], login["user"]["name"]) == ("success", "anonymous")
    assert "guest@example.org" in login["message"]


def test_200_sessions_at_once(store):
    together = threading.Barrier(200)

    def session(number):
        octets = random.Random(number).randbytes(20_000)
        with connect() as ftp:
            together.wait(PATIENCE * 3)
            put(ftp, f"/file-{number}", octets)
            return get(ftp, f"/file-{number}") == octets and get(ftp, "/pub/octets.bin") == OCTETS

    with concurrent.futures.ThreadPoolExecutor(200) as pool:
        assert all(pool.map(session, range(200)))
    assert len(recorded(store, "upload", 200)) == 200


def test_it_is_no_way_to_anybody_else(store):
    connected = []
    victim = socket.create_server(("127.0.0.9", 8080))
    victim.settimeout(1)
    ftp = connect()
    for command in ["PORT 127,0,0,9,31,144", "EPRT |1|127.0.0.9|8080|", "PORT 127,0,0,1,0,22", "EPRT |2|::1|8080|"]:
        with pytest.raises(ftplib.error_perm):
            ftp.sendcmd(command)
    with pytest.raises((ftplib.error_perm, ftplib.error_temp)):
        ftp.sendcmd("LIST")
    with pytest.raises(TimeoutError):
        connected.append(victim.accept())
    relays = recorded(store, "relay", 4)
    assert [event["event"]["outcome"] for event in relays] == ["failure"] * 4
    assert "127.0.0.9:8080" in relays[0]["message"]


def test_a_stranger_at_a_passive_port_is_turned_away(store):
    ftp = connect()
    host, port = ftplib.parse227(ftp.sendcmd("PASV"))
    assert host == STORE
    stranger = socket.create_connection((host, port), PATIENCE, source_address=("127.0.0.66", 0))
    try:
        assert stranger.recv(1) == b""
    except ConnectionResetError:
        pass
    assert "127.0.0.66" in recorded(store, "stranger", 1)[0]["message"]


def test_nmap_sees_a_server(store):
    said = run("nmap", "-n", "-Pn", "-sT", "-sV", "-p21", "--script", "ftp-anon,ftp-syst,ftp-bounce", STORE).decode()
    assert re.search(r"21/tcp +open +ftp", said), said
    assert "Anonymous FTP login allowed" in said and "octets.bin" in said, said
    assert "bounce working" not in said, said
    assert recorded(store, "relay", 1)[0]["event"]["outcome"] == "failure"


def test_the_m340_gives_what_tools_for_its_family_ask_for(demo):
    ftp = ftplib.FTP(timeout=PATIENCE)
    assert ftp.connect(DEMO[0], 10021) == "220 FTP server ready."
    with pytest.raises(ftplib.error_perm):
        ftp.login("admin", "admin")
    ftp.login("ftpuser", "password")
    assert "VxWorks" in ftp.sendcmd("SYST")
    assert get(ftp, "/FLASH0/userlist.dat").split(b"\r\n")[:2] == [b"USER", b"USER"]
    assert get(ftp, "/FLASH0/ftp/ftp.ini").split(b"\r\n")[0] == b"USER"
    assert get(ftp, "/FLASH0/rdt/password.rde") == b"USER"
    total = demo.identity()["intake_total"]
    assert total.encode() in get(ftp, "/datastorage/INTAKE.CSV")
    tried = [(event["user"]["name"], event["event"]["outcome"]) for event in recorded(demo, "login", 2)]
    assert tried == [("admin", "failure"), ("ftpuser", "success")]


def test_a_profile_that_is_copied_brings_its_files(plant, tmp_path):
    own = tmp_path / "own"
    honeyplant("init", own, "--profile", "schneider-m340")
    files = own / "profiles/schneider-m340/files/FLASH0"
    files.mkdir(parents=True)
    (files / "note.txt").write_text("ours\n")
    (own / "site.toml").write_text((own / "site.toml").read_text().replace("127.0.20.1", "127.0.20.7"))
    plant.start(own, listens=("127.0.20.7", 10021))
    ftp = ftplib.FTP(timeout=PATIENCE)
    ftp.connect("127.0.20.7", 10021)
    ftp.login("USER", "USERUSER")
    assert get(ftp, "/FLASH0/note.txt") == b"ours\n"
    (files / "link").symlink_to("note.txt")
    assert "link = " in honeyplant("check", own, code=1)

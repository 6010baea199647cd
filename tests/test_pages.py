"""Web pages with curl: what the example of docs/web.md shows, does and keeps."""

import hashlib
import json
import re
import subprocess

import pytest
from conftest import PATIENCE, ROOT, Peer, honeyplant, wait_until

DOCUMENT = ROOT / "docs/web.md"
SITE = ROOT / "tests/sites/web"
PANEL = "127.0.34.2"
HERE = f"http://{PANEL}"


@pytest.fixture
def panel(plant):
    return plant.start(SITE, listens=(PANEL, 80))


class Browser:
    """curl with a jar of cookies."""

    def __init__(self, folder):
        self.jar = folder / "cookies"

    def __call__(self, path, *arguments):
        """The status, the header fields by their names, and the page."""
        options = ["--silent", "--show-error", "--include", "--max-time", str(PATIENCE), "--path-as-is"]
        jar = ["--cookie", self.jar, "--cookie-jar", self.jar]
        done = subprocess.run(["curl", *options, *jar, *arguments, HERE + path], capture_output=True, timeout=PATIENCE * 2)
        assert done.returncode == 0, done.stderr
        head, _, page = done.stdout.partition(b"\r\n\r\n")
        if head.startswith(b"HTTP/1.1 100"):
            head, _, page = page.partition(b"\r\n\r\n")
        status, *fields = head.decode("latin-1").split("\r\n")
        return int(status.split()[1]), dict(field.split(": ", 1) for field in fields), page

    def log_in(self, name="operator", secret="flow"):
        return self("/login.htm", "-d", f"name={name}&secret={secret}&from=/pump.htm")


@pytest.fixture
def browse(panel, tmp_path):
    return Browser(tmp_path)


def recorded(panel, action, count=1):
    wait_until(lambda: len(panel.events(action)) >= count, f"{count} times {action}")
    return panel.events(action)


def test_pages_show_the_device(panel, browse):
    identity = panel.identity("panel")
    status, fields, page = browse("/")
    assert status == 200 and fields["Content-Type"] == "text/html"
    text = page.decode()
    assert f"<title>{identity['station']} - Pump</title>" in text
    assert "<td>level<td>2.5 m</tr>" in text and "<td>pump<td>off</tr>" in text
    status, fields, page = browse("/logo.gif")
    assert (status, fields["Content-Type"], page[:6]) == (200, "image/gif", b"GIF89a")
    assert "Last-Modified" in fields


def test_aliases_triggers_and_pages_for_refusals(panel, browse):
    # Each page begins with the time of the device.
    home, index = (re.sub(rb"\d\d:\d\d:\d\d", b"", browse(path)[2]) for path in ("/home.html", "/index.htm"))
    assert home == index
    status, fields, page = browse("/index.htm?x=1&view=values")
    assert (status, fields["Content-Type"]) == (200, "application/json")
    assert json.loads(page) == {"station": panel.identity("panel")["station"], "level": 2.5, "pump": False}
    status, fields, _ = browse("/index.htm?view=old")
    assert (status, fields["Location"]) == (302, "/")
    status, _, page = browse("/nothing%3Cb%3E")
    assert status == 404 and b"Error 404" in page and b"/nothing&lt;b&gt;" in page
    assert browse("/parts/head.htm")[0] == 404
    assert browse("/../../../etc/passwd")[0] in (400, 404)


def test_a_form_lets_in_and_a_value_is_seen_everywhere(panel, browse):
    status, fields, _ = browse("/pump.htm")
    assert (status, fields["Location"]) == (302, "/login.htm?from=/pump.htm")
    assert b"wrong name or password" in browse.log_in(secret="guess")[2]
    status, fields, _ = browse.log_in()
    assert (status, fields["Location"]) == (302, "/pump.htm")
    logins = recorded(panel, "login", 2)
    assert [event["event"]["outcome"] for event in logins] == ["failure", "success"]

    assert b"Setpoint 3.00 m, pump off" in browse("/pump.htm")[2]
    assert b"Setpoint 4.25 m, pump off" in browse("/pump.htm", "-d", "setpoint=4.25")[2]
    assert b"setpoint: outside its range" in browse("/pump.htm", "-d", "setpoint=5.5")[2]
    assert b"pump on" in browse("/pump.htm", "-d", "pump=")[2]
    assert b"<td>raw_setpoint<td>425</tr>" in browse("/")[2]
    with Peer(to=(PANEL, 502)) as peer:
        assert peer.ask("0300020001") == "030201a9"
        assert peer.ask("06000200c8") == "06000200c8"
    assert b"Setpoint 2.00 m, pump on" in browse("/pump.htm")[2]

    writes = [event["honeyplant"] for event in recorded(panel, "write", 4)]
    assert writes[0]["tags"] == ["raw_setpoint"]
    assert (writes[0]["before"], writes[0]["after"]) == ([300], [425])
    assert "refusal" in writes[1]

    assert browse("/logout")[1]["Location"] == "/"
    assert browse("/pump.htm")[0] == 302


def test_who_may_not_is_told_so(panel, browse):
    browse.log_in("visitor", "look")
    status, fields, page = browse("/pump.htm", "-d", "setpoint=4.25")
    assert (status, fields["X-Panel"]) == (403, "visitor")
    assert b"<td>raw_setpoint<td>300</tr>" in browse("/")[2]


def test_what_is_left_is_kept_and_shown_to_whoever_left_it(panel, browse, tmp_path):
    firmware = bytes(range(256)) * 100
    file = tmp_path / "panel 2.bin"
    file.write_bytes(firmware)
    digest = hashlib.sha256(firmware).hexdigest()
    browse.log_in()
    assert b"<p>panel 2.bin 25600</p>" in browse("/update.htm", "-F", f"file=@{file}")[2]
    left = recorded(panel, "upload")[0]["file"]
    assert (left["path"], left["size"], left["hash"]["sha256"]) == ("/update/panel 2.bin", 25600, digest)
    artefact = panel.state / "artefacts" / digest
    wait_until(artefact.exists, "the artefact")
    assert artefact.read_bytes() == firmware
    assert browse("/firmware/panel%202.bin")[2] == firmware

    assert browse("/firmware/new.txt", "-T", str(ROOT / "LICENSE-MIT"))[0] == 201
    assert b'<a href="new.txt">' in browse("/firmware/")[2]

    file.write_bytes(bytes(70_000))
    assert b"panel 2.bin: larger than the page takes" in browse("/update.htm", "-F", f"file=@{file}")[2]
    # Somebody else finds nothing of it.
    assert b"panel 2.bin" not in browse("/update.htm", "--interface", "127.0.0.99")[2]


def test_what_nobody_asked_for_is_kept_all_the_same(panel, browse):
    shell = b"<?php system($_GET['c']); ?>"
    assert browse("/upload.php", "-X", "PUT", "--data-binary", shell.decode())[0] == 404
    left = recorded(panel, "upload")[0]
    assert left["file"]["hash"]["sha256"] == hashlib.sha256(shell).hexdigest()
    assert left["event"]["outcome"] == "failure"


def test_every_line_that_the_text_quotes_is_in_the_example():
    files = [path.read_bytes().decode("latin-1") for path in SITE.rglob("*.*") if path.is_file()]
    section = DOCUMENT.read_text().split("## An example")[1].split("\n## ")[0]
    quoted = re.findall(r"```(?:toml|html)?\n(.*?)```", section, re.S)
    assert len(quoted) >= 3
    for text in quoted:
        assert any(all(line in file for line in text.splitlines()) for file in files), text


def test_nothing_is_wrong_with_it(tmp_path):
    assert "nothing is wrong with" in honeyplant("--state", tmp_path, "check", SITE)


def test_what_is_wrong_with_a_page_is_told_with_its_line(tmp_path):
    import shutil

    site = shutil.copytree(SITE, tmp_path / "web")
    page = site / "profiles/pump-panel/www/pump.htm"
    page.write_text(page.read_text().replace("tags.pump", "tags.pmp"))
    told = honeyplant("--state", tmp_path / "state", "check", site, code=1)
    assert "www/pump.htm:2: there is no tag `pmp`" in told and "did you mean `pump`?" in told

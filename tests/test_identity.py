"""Who the devices say they are: drawn once per install, and never shipped."""

import time
import tomllib

import pytest
from conftest import Peer, Plant, site

# Short lists of what the vendor sold; two installs may well draw the same.
OF_A_LIST = {"firmware", "hardware", "oui", "made", "year_letter"}


def drawn(folder):
    """Everything that a fresh install drew, by the key it was drawn for."""
    folder.mkdir()
    plant = Plant(folder).start()
    plant.stop()
    values = {}

    def walk(table, path):
        for key, value in table.items():
            if isinstance(value, dict):
                walk(value, f"{path}{key}.")
            else:
                values[path + key] = value

    walk(tomllib.loads((plant.state / "identity.toml").read_text()), "")
    return plant, values


def test_fresh_installs_share_no_constant(tmp_path):
    # So many that what is drawn of three things is not the same in all by chance.
    installs = [drawn(tmp_path / str(number))[1] for number in range(16)]
    keys = installs[0].keys()
    assert len(keys) > 4 and all(install.keys() == keys for install in installs)
    values = {key: [install[key] for install in installs] for key in keys if key.rsplit(".")[-1] not in OF_A_LIST}
    # A set point of two digits may be the same in two plants; in all it would be a constant.
    assert not {key: drawn for key, drawn in values.items() if len({*drawn}) == 1}
    macs = [value for key, drawn in values.items() if key.endswith(".mac") for value in drawn]
    assert len({*macs}) == len(macs) >= len(installs)


def test_later_runs_show_the_same(plant):
    seen = []
    for _ in range(2):
        plant.start()
        with Peer() as peer:
            seen.append((plant.identity(), peer.ask("2b0e0100")))
        plant.stop()
    assert seen[0] == seen[1]


@pytest.mark.parametrize("listen", [[], ["0.0.0.0"]], ids=["a socket each", "one socket"])
def test_five_hundred_devices_of_one_profile(plant, tmp_path, listen):
    site(tmp_path, plc="127.20.0.1-127.20.1.244", more=f"listen = {listen}")
    start = time.monotonic()
    plant.start(tmp_path, listens=((listen or ["127.20.1.244"])[0], 502))
    print(f"500 devices: {(time.monotonic() - start) * 1000:.0f} ms to the last, {plant.megabytes():.0f} MB")
    peers = [Peer((f"127.20.{number >> 8}.{number & 255}", 502)) for number in range(1, 501)]
    for number, peer in enumerate(peers, 1):
        assert peer.ask(f"06 0190 {number:04x}") == f"060190{number:04x}"
    drawn = tomllib.loads((plant.state / "identity.toml").read_text())["devices"]
    for number, peer in enumerate(peers, 1):
        assert peer.ask("03 0190 0001") == f"0302{number:04x}", "each has a memory of its own"
        identification = bytes.fromhex(peer.ask("2b0e0100")).decode("latin-1")
        assert identification.endswith(drawn[f"plc-{number}"]["firmware"]), "each has an identity of its own"
        peer.socket.close()
    assert len({identity["mac"] for identity in drawn.values()}) == 500
    assert plant.megabytes() < 300

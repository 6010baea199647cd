"""What a device keeps without power is there again after honeyplant was ended and started anew."""

import json
import signal

from conftest import FUNCTIONS, Peer, honeyplant

SERVED = ("127.0.30.1", 502)


def test_memory_and_free_registers_survive_a_restart(demo):
    with Peer() as peer:
        peer.ask("06 0190 04d2")
        peer.ask("05 0100 ff00")
    demo.stop()
    demo.start()
    with Peer() as peer:
        assert peer.ask("03 0190 0001") == "030204d2"
        assert peer.ask("01 0100 0001") == "010101"


def test_registers_of_a_service_survive_a_restart(plant):
    plant.start(FUNCTIONS, listens=SERVED)
    with Peer(SERVED) as peer:
        peer.ask("06 0000 1234", unit=10)
    plant.stop()
    plant.start(FUNCTIONS, listens=SERVED)
    with Peer(SERVED) as peer:
        assert peer.ask("03 0000 0001", unit=10) == "03021234"


def test_a_device_whose_memory_is_removed_starts_as_if_it_were_new(demo):
    with Peer() as peer:
        peer.ask("06 0190 04d2")
    demo.stop(signal.SIGINT)
    (demo.state / "memory/plc-intake.json").unlink()
    demo.start()
    with Peer() as peer:
        assert peer.ask("03 0190 0001") == "03020000"


def test_a_broken_memory_is_told_before_anything_listens(demo):
    demo.stop()
    file = demo.state / "memory/plc-intake.json"
    file.write_text(json.dumps({"memory": 1}))
    said = honeyplant("--state", demo.state, "run", code=1)
    assert "memory/plc-intake.json" in said and "remove it" in said

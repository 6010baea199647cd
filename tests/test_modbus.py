"""Every function of Modbus, asked by pymodbus."""

import pytest
from conftest import DEMO, FUNCTIONS, Peer, wait_until
from pymodbus.client import ModbusTcpClient
from pymodbus.exceptions import ModbusIOException
from pymodbus.pdu.file_message import FileRecord

SERVED = ("127.0.30.1", 502)
MORE_FOLLOWS = 0xFF


@pytest.fixture
def client(plant):
    plant.start(FUNCTIONS, listens=SERVED)
    with ModbusTcpClient(SERVED[0], port=SERVED[1]) as client:
        yield client


@pytest.fixture
def demo_client(demo):
    with ModbusTcpClient(DEMO[0], port=DEMO[1]) as client:
        yield client


def done(answer):
    assert not answer.isError(), answer
    return answer


def refused(answer, code):
    assert answer.isError() and answer.exception_code == code, answer


def test_bits(client):
    assert done(client.read_coils(0, count=3)).bits[:3] == [True, False, True]
    done(client.write_coil(1, True))
    done(client.write_coils(100, [True, False, True, True]))
    assert done(client.read_discrete_inputs(0, count=3)).bits[:3] == [True, True, True]
    assert done(client.read_coils(100, count=5)).bits[:5] == [True, False, True, True, False]
    assert len(done(client.read_coils(0, count=2000)).bits) == 2000


def test_registers(client):
    done(client.write_register(100, 1))
    done(client.write_registers(101, [2, 3]))
    assert done(client.read_holding_registers(100, count=3)).registers == [1, 2, 3]
    done(client.mask_write_register(address=102, and_mask=0x0001, or_mask=0x00F0))
    answer = done(client.readwrite_registers(read_address=100, read_count=4, write_address=103, values=[9]))
    assert answer.registers == [1, 2, 0x00F1, 9]


def test_one_memory_is_seen_with_the_word_order_and_scale_of_each_view(client):
    kind = client.DATATYPE
    registers = done(client.read_input_registers(0, count=3)).registers
    assert client.convert_from_registers(registers[:2], kind.FLOAT32, word_order="little") == 12.5
    assert registers[2] == 2500
    # The memory keeps the low word of %MD10 in %MW10.
    done(client.write_registers(10, client.convert_to_registers(3.25, kind.FLOAT32, word_order="little")))
    done(client.write_register(20, 300))
    registers = done(client.read_input_registers(0, count=3)).registers
    assert client.convert_from_registers(registers[:2], kind.FLOAT32, word_order="little") == 3.25
    assert registers[2] == 3000


def test_files_and_queues(client):
    read = done(client.read_file_record([FileRecord(4, 0, record_length=6), FileRecord(4, 99, record_length=2)]))
    assert [record.record_data.hex() for record in read.records] == ["000b00160021", "0000"]
    done(client.write_file_record([FileRecord(4, 98, record_data=b"\x12\x34\x56\x78")]))
    read = done(client.read_file_record([FileRecord(4, 99, record_length=2)]))
    assert read.records[0].record_data.hex() == "5678"
    assert done(client.read_fifo_queue(address=500)).values == [4, 5, 6]


def test_diagnostics(client):
    assert done(client.read_exception_status()).status == 0b101
    assert done(client.diag_query_data(b"\xca\xfe\xba\xbe")).message == b"\xca\xfe\xba\xbe"
    assert done(client.diag_read_diagnostic_register()).message == 0x0102
    done(client.diag_change_ascii_input_delimeter(delimiter=0x0D00))
    done(client.diag_clear_counters())
    done(client.write_coil(1, True))
    refused(client.write_coil(9999, True), 2)
    assert done(client.diag_read_bus_message_count()).message == 3
    assert done(client.diag_read_bus_exception_error_count()).message == 1
    assert done(client.diag_read_device_message_count()).message >= 4
    for none in [
        client.diag_read_bus_comm_error_count,
        client.diag_read_device_no_response_count,
        client.diag_read_device_nak_count,
        client.diag_read_device_busy_count,
        client.diag_read_bus_char_overrun_count,
        client.diag_clear_overrun_counter,
    ]:
        assert done(none()).message == 0
    before = done(client.diag_get_comm_event_counter())
    assert before.status
    done(client.write_coil(1, False))
    assert done(client.diag_get_comm_event_counter()).count == before.count + 1
    log = done(client.diag_get_comm_event_log())
    assert log.event_count == before.count + 1 and len(log.events) > 8
    done(client.diag_restart_communication(True))
    # Whether the restart itself counts is not said.
    assert done(client.diag_get_comm_event_counter()).count <= 1


def test_listen_only_lasts_until_communication_restarts(plant):
    plant.start(FUNCTIONS, listens=SERVED)
    with ModbusTcpClient(SERVED[0], port=SERVED[1], timeout=0.2, retries=0) as client:
        client.diag_force_listen_only()
        with pytest.raises(ModbusIOException):
            client.read_coils(0)
        client.diag_restart_communication(True, no_response_expected=True)
        done(client.read_coils(0))


def test_identification(client, plant):
    serial = plant.identity("gateway")["serial"]
    answer = done(client.report_device_id())
    assert answer.identifier == f"GW-{serial}".encode() and answer.status
    basic = done(client.read_device_information(read_code=1))
    assert basic.information == {0: b"Test house", 1: b"GW-1", 2: b"v1.0"} and basic.conformity == 0x83
    regular = done(client.read_device_information(read_code=2))
    assert set(regular.information) == set(range(7)) and regular.information[6] == f"Serial {serial}".encode()
    objects, start, answers = {}, 0, 0
    while True:
        extended = done(client.read_device_information(read_code=3, object_id=start))
        objects |= extended.information
        answers += 1
        if extended.more_follows != MORE_FOLLOWS:
            break
        start = extended.next_object_id
    assert answers > 1 and set(objects) == {*range(7), 0x80, 0x81, 0x82}
    single = done(client.read_device_information(read_code=4, object_id=0x81))
    assert single.information == {0x81: b"b" * 116} and single.more_follows != MORE_FOLLOWS
    refused(client.read_device_information(read_code=4, object_id=0x7F), 2)


def test_refusals(client):
    refused(client.read_holding_registers(2005, count=10), 2)
    refused(client.write_register(2000, 1), 2)
    assert done(client.read_holding_registers(2000, count=1)).registers == [7]
    refused(client.read_fifo_queue(address=501), 2)
    refused(client.read_file_record([FileRecord(4, 99, record_length=4)]), 2)
    refused(client.diag_read_iop_overrun_count(), 1)
    with Peer(SERVED) as peer:
        assert peer.ask("03 0000 0000") == "8303"
        assert peer.ask("03 0000 007e") == "8303"
        assert peer.ask("01 0000 07d1") == "8103"
        assert peer.ask("05 0000 0001") == "8503"
        assert peer.ask("10 0000 0002 02 0001") == "9003"
        assert peer.ask("2b0e0500") == "ab03"
        assert peer.ask("5a") == "da01"


def test_units_behind_a_gateway(client):
    for unit in (10, 11, 12):
        done(client.write_register(0, 3, device_id=unit))
    assert done(client.read_holding_registers(0, device_id=11)).registers == [3]
    refused(client.read_coils(0, device_id=11), 1)
    refused(client.read_holding_registers(0, device_id=77), 11)
    client.write_register(5, 55, device_id=0, no_response_expected=True)
    for unit in (1, 10, 11, 12):
        assert done(client.read_holding_registers(5, device_id=unit)).registers == [55]


def test_the_demo_is_an_m340(demo_client):
    client = demo_client
    done(client.write_registers(400, [5, 2]))
    answer = done(client.readwrite_registers(read_address=400, read_count=2, write_address=401, values=[6]))
    assert answer.registers == [5, 6]
    # It does not look at the unit.
    assert {done(client.read_holding_registers(400, device_id=unit)).registers[0] for unit in (0, 1, 2, 100, 255)} == {
        5
    }
    done(client.write_coils(300, [True] * 9))
    assert done(client.read_coils(300, count=10)).bits[:10] == [True] * 9 + [False]
    for missing in [
        client.report_device_id,
        client.read_exception_status,
        client.diag_get_comm_event_counter,
        client.diag_get_comm_event_log,
        client.mask_write_register,
        client.read_fifo_queue,
        lambda: client.read_file_record([FileRecord(1, 0, record_length=2)]),
    ]:
        refused(missing(), 1)
    refused(client.read_holding_registers(65000, count=2), 2)
    answer = done(client.read_device_information(read_code=1))
    assert answer.conformity == 0x81 and answer.information[0] == b"Schneider Electric  "


def test_the_demo_lives(demo_client):
    """Something moves by itself, or the decoy is dead."""

    def registers():
        return done(demo_client.read_holding_registers(0, count=5)).registers

    first = registers()
    wait_until(lambda: registers() != first, "a measured value to move")

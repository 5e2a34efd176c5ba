"""The LLRP session against a reader made of llrpkit's messages: an encoder and decoder that we did not write."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.drivers.frames import Conversation, TagFrame
from edge.drivers.registry import make_decoder

llrpkit = pytest.importorskip("llrpkit.protocol", reason="llrpkit, the peer of LLRP, is not installed")
from llrpkit.protocol import BitStr, decode_message, enums, messages, params  # noqa: E402  only after the skip

TAG = bytes.fromhex("3316210B44350C40000003E9")
STEPS = ["SET_READER_CONFIG", "SET_READER_CONFIG", "DELETE_ROSPEC", "ADD_ROSPEC", "ENABLE_ROSPEC", "START_ROSPEC"]


def event(**fields):
    told = params.ReaderEventNotificationData(timestamp=params.UTCTimestamp(microseconds=1), **fields)
    return messages.READER_EVENT_NOTIFICATION(reader_event_notification_data=told).to_bytes(message_id=0)


def greeting(status=0):
    return event(connection_attempt_event=params.ConnectionAttemptEvent(status=status))


def report():
    tag = params.TagReportData(epc_parameter=params.EPC_96(epc=TAG), antenna_id=params.AntennaID(antenna_id=2))
    return messages.RO_ACCESS_REPORT(tag_report_datas=[tag]).to_bytes(message_id=7)


def answer(request, code=0):
    status = params.LLRPStatus(status_code=code, error_description="")
    answer_type = getattr(messages, f"{type(request).__name__}_RESPONSE")
    return answer_type(llrp_status=status).to_bytes(message_id=request.message_id)


def session(**options):
    decoder, warnings = make_decoder("llrp", options)
    assert not warnings
    assert isinstance(decoder, Conversation)
    decoder.open()
    return decoder


def said(decoder):
    """What the session has to say, one message a time."""
    raw, heard = decoder.take_replies(), []
    while raw:
        size = int.from_bytes(raw[2:6])
        heard.append(decode_message(raw[:size]))
        raw = raw[size:]
    return heard


def set_up(decoder, refused=()):
    """Plays the reader, which refuses steps by their place; until the session is content or ends. The requests."""
    requests = []
    decoder.feed(greeting())
    while waiting := said(decoder):
        (request,) = waiting
        requests.append(request)
        decoder.feed(answer(request, 100 if len(requests) - 1 in refused else 0))
    return requests


def test_it_waits_for_the_reader_to_greet():
    decoder = session()
    assert (said(decoder), decoder.is_ready) == ([], False)


def test_it_sets_the_reader_up_step_by_step():
    decoder = session()
    assert [type(request).__name__ for request in set_up(decoder)] == STEPS
    assert decoder.is_ready


def test_what_it_asks_for_is_what_a_sighting_needs():
    pulse, events, delete, add, _, start = set_up(session(keepalive_ms=700))
    assert not pulse.reset_to_factory_default and not events.reset_to_factory_default
    assert pulse.keepalive_spec.periodic_trigger_value == 700
    assert not events.events_and_reports.hold_events_and_reports_upon_reconnect
    inventory = add.ro_spec
    assert inventory.ro_spec_id == delete.ro_spec_id == start.ro_spec_id != 0
    assert inventory.ro_report_spec.n == 1
    content = inventory.ro_report_spec.tag_report_content_selector
    assert (content.enable_antenna_id, content.enable_peak_rssi, content.enable_tag_seen_count) == (True, True, True)
    assert content.air_protocol_epc_memory_selectors == [
        params.C1G2EPCMemorySelector(enable_crc=False, enable_pc_bits=True)
    ]
    assert [list(spec.antenna_ids) for spec in inventory.spec_parameters] == [[0]]


def test_other_applications_inventories_are_deleted_only_when_told_to():
    requests = {type(request).__name__: request for request in set_up(session(rospecs="all"))}
    assert requests["DELETE_ROSPEC"].ro_spec_id == 0


@pytest.mark.parametrize("step", [1, 2])
def test_fewer_events_and_nothing_to_delete_are_borne(step):
    decoder = session()
    set_up(decoder, refused=[step])
    assert (decoder.is_ready, decoder.ended) == (True, None)


@pytest.mark.parametrize("step", [0, 3, 4, 5])
def test_any_other_refusal_ends_it(step):
    decoder = session()
    assert len(set_up(decoder, refused=[step])) == step + 1
    assert (decoder.is_ready, decoder.ended) == (False, "setup_refused")


def test_an_error_message_to_a_step_ends_it():
    decoder = session()
    decoder.feed(greeting())
    (request,) = said(decoder)
    status = params.LLRPStatus(status_code=109, error_description="unsupported message")
    decoder.feed(messages.ERROR_MESSAGE(llrp_status=status).to_bytes(message_id=request.message_id))
    assert decoder.ended == "setup_refused"


def test_a_late_answer_to_something_else_moves_nothing():
    decoder = session()
    decoder.feed(greeting())
    (request,) = said(decoder)
    request.message_id += 77
    decoder.feed(answer(request))
    assert said(decoder) == []


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (greeting(1), "another_client"),
        (greeting(2), "another_client"),
        (greeting(3), "refused"),
        (event(connection_close_event=params.ConnectionCloseEvent()), "connection_closed"),
        (bytes.fromhex("043D0000000900000000"), "out_of_step"),
    ],
)
def test_a_connection_that_leads_nowhere_is_called_by_its_reason(raw, reason):
    decoder = session()
    decoder.feed(raw)
    assert (decoder.ended, said(decoder)) == (reason, [])


@pytest.mark.parametrize("kind", [enums.ROSpecEventType.End_Of_ROSpec, enums.ROSpecEventType.Preemption_Of_ROSpec])
def test_an_inventory_that_ends_by_itself_is_noticed(kind):
    decoder = session()
    ours = set_up(decoder)[-1].ro_spec_id
    other = params.ROSpecEvent(event_type=int(kind), ro_spec_id=5, preempting_ro_spec_id=0)
    decoder.feed(event(ro_spec_event=other))
    assert decoder.ended is None
    decoder.feed(
        event(ro_spec_event=params.ROSpecEvent(event_type=int(kind), ro_spec_id=ours, preempting_ro_spec_id=0))
    )
    assert decoder.ended == "inventory_ended"


def test_that_another_client_tries_to_connect_is_no_reason_to_end():
    decoder = session()
    set_up(decoder)
    frames = decoder.feed(greeting(4))
    assert "another_client" in [getattr(frame, "kind", "") for frame in frames]
    assert decoder.is_ready


def test_a_keep_alive_is_acknowledged_whatever_it_is_doing():
    decoder = session()
    decoder.feed(messages.KEEPALIVE().to_bytes(message_id=5))
    (acknowledgement,) = said(decoder)
    assert (type(acknowledgement).__name__, acknowledgement.message_id) == ("KEEPALIVE_ACK", 5)


def test_old_reports_are_not_passed_on_and_new_ones_are():
    decoder = session()
    decoder.feed(greeting())
    assert not [frame for frame in decoder.feed(report()) if isinstance(frame, TagFrame)]
    decoder = session()
    set_up(decoder)
    (tag,) = decoder.feed(report())
    assert (tag.epc, tag.antenna) == (TAG.hex().upper(), 2)


def test_a_new_connection_begins_from_the_start():
    decoder = session()
    set_up(decoder)
    decoder.feed(report()[:20])
    decoder.open()
    assert (decoder.is_ready, decoder.pending) == (False, False)
    assert len(set_up(decoder)) == len(STEPS)


def test_unopened_it_only_decodes():
    decoder, _ = make_decoder("llrp", {})
    frames = decoder.feed(greeting() + messages.KEEPALIVE().to_bytes(message_id=5) + report())
    assert [frame.epc for frame in frames if isinstance(frame, TagFrame)] == [TAG.hex().upper()]
    assert decoder.take_replies() == b""


@settings(max_examples=150, deadline=None)
@given(
    epc=st.binary(max_size=62),
    antenna=st.none() | st.integers(1, 0xFFFF),
    rssi_dbm=st.none() | st.integers(-128, 127),
    pc=st.none() | st.integers(0, 0xFFFF),
    count=st.none() | st.integers(0, 0xFFFF),
)
def test_any_report_that_llrpkit_encodes_is_read_as_it_was_meant(epc, antenna, rssi_dbm, pc, count):
    told = params.TagReportData(
        epc_parameter=params.EPC_96(epc=epc) if len(epc) == 12 else params.EPCData(epc=BitStr.from_bytes(epc)),
        antenna_id=antenna and params.AntennaID(antenna_id=antenna),
        peak_rssi=None if rssi_dbm is None else params.PeakRSSI(peak_rssi=rssi_dbm),
        tag_seen_count=None if count is None else params.TagSeenCount(tag_count=count),
        air_protocol_tag_datas=[] if pc is None else [params.C1G2_PC(pc_bits=pc)],
    )
    raw = messages.RO_ACCESS_REPORT(tag_report_datas=[told, told]).to_bytes(message_id=3)
    decoder, _ = make_decoder("llrp", {})
    tag = TagFrame(epc.hex().upper() or None, rssi_dbm=rssi_dbm, antenna=antenna, pc=pc)
    assert decoder.feed(raw) == [tag, tag]


READER_SAYS = st.sampled_from(
    [greeting(), greeting(2), report(), messages.KEEPALIVE().to_bytes(message_id=1), b"\x04\x3d", b"\x00"]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(READER_SAYS, st.binary(max_size=40)), max_size=12), st.integers(1, 50))
def test_whatever_a_reader_says_the_session_stays_sane(pieces, size):
    raw, decoder = b"".join(pieces), session()
    for at in range(0, len(raw), size):
        decoder.feed(raw[at : at + size])
        decoder.take_replies()
    assert not (decoder.is_ready and decoder.ended)
    decoder.open()
    set_up(decoder)
    assert decoder.is_ready

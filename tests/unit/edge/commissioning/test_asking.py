"""What was heard is judged against what was asked: answers, refusals, twins, and who else spoke."""

from edge.commissioning.asking import judged, sound_answers
from edge.commissioning.self_description import identification, server_id
from edge.commissioning.twins import TRIES, Verdict, counted
from edge.drivers.modbus import RtuMatcher, read_request, with_crc
from edge.lines.bus import Chunk

REQUEST = read_request(7, 3, 0, 1)
GOOD = with_crc(bytes((7, 3, 2, 0, 42)))
OTHER = with_crc(bytes((7, 3, 2, 0, 43)))
REFUSED = with_crc(bytes((7, 0x83, 2)))
STRANGER = with_crc(bytes((9, 3, 2, 0, 1)))


def heard(*chunks: tuple[float, bytes]):
    matcher = RtuMatcher()
    matcher.arm(REQUEST)
    return judged(matcher, REQUEST, [Chunk(*chunk) for chunk in chunks])


def test_an_answer_with_its_time():
    outcome = heard((0.02, GOOD[:3]), (0.03, GOOD[3:]))
    assert (outcome.payload, outcome.answer_s, outcome.is_doubled) == (bytes((0, 42)), 0.03, False)


def test_two_answers_to_one_question_come_in_one_piece_or_two():
    assert heard((0.02, GOOD + OTHER)).is_doubled
    assert heard((0.02, GOOD), (0.05, OTHER)).is_doubled
    assert not heard((0.02, GOOD + b"\x00")).is_doubled  # the glitch of a driver that lets go


def test_a_refusal_is_alive():
    outcome = heard((0.02, REFUSED))
    assert (outcome.payload, outcome.exception, outcome.is_alive) == (None, 2, True)


def test_silence_another_unit_and_garbage_are_told_apart():
    assert heard().reason == "timeout"
    assert heard((0.01, STRANGER)).reason == "timeout"
    assert heard((0.01, b"\xff\x00\x13")).reason == "garbled"
    assert heard((0.01, GOOD[:-1] + b"\x00")).reason == "crc"


def test_what_came_before_the_question_is_no_answer_but_tells_who_spoke():
    outcome = heard((-0.002, STRANGER))
    assert outcome.reason == "timeout"
    assert [frame[0] for frame in sound_answers(outcome.raw)] == [9]
    assert heard((-0.002, GOOD)).payload is None


def test_answers_are_found_among_garbage():
    raw = b"\x13" + STRANGER + b"\xff\xff" + REFUSED + GOOD[:4]
    assert list(sound_answers(raw)) == [STRANGER, REFUSED]


def test_verdicts_over_twenty_tries():
    good, spoilt, silent = heard((0.02, GOOD)), heard((0.02, GOOD[:-1] + b"\x00")), heard()
    doubled = heard((0.02, GOOD + OTHER))
    assert counted([good] * TRIES).verdict is Verdict.ONE_DEVICE
    assert counted([good] * 19 + [spoilt]).verdict is Verdict.ONE_DEVICE
    assert counted([good] * 15 + [spoilt] * 5).verdict is Verdict.DUPLICATE_UNIT_ID
    assert counted([good] * 19 + [doubled]).verdict is Verdict.DUPLICATE_UNIT_ID
    assert counted([good] * 10 + [silent] * 10).verdict is Verdict.UNRELIABLE


def test_a_device_says_who_it_is():
    objects = b"\x00\x06Dixell\x01\x06XR60CX\x02\x032.1"
    frame = with_crc(b"\x07\x2b\x0e\x01\x01\x00\x00\x03" + objects)
    assert identification(b"\x00" + frame, 7, is_tcp=False) == {0: "Dixell", 1: "XR60CX", 2: "2.1"}
    assert identification(frame[:-1] + b"\x00", 7, is_tcp=False) == {}
    assert identification(frame[:20], 7, is_tcp=False) == {}
    assert server_id(with_crc(b"\x07\x11\x05\x0a\xffABC"), 7, is_tcp=False) == "ABC"
    assert server_id(with_crc(b"\x07\x91\x01"), 7, is_tcp=False) == ""

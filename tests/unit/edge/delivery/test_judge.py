"""What an acknowledgement means, as a pure decision."""

from hypothesis import given
from hypothesis import strategies as st

from edge.delivery.conversation import Verdict, judge
from wire.messages import Ack

EPOCH, OTHER = bytes(16), bytes([1]) * 16
H, G = bytes(32), bytes([1]) * 32


def verdict(through, ack_hash, own_hash, *, epoch=EPOCH, acknowledged=5, next_seq=11):
    ack = Ack(epoch, through, ack_hash)
    return judge(
        ack, epoch=EPOCH, acknowledged=acknowledged, next_seq=next_seq, own_hash=own_hash, is_held=own_hash is not None
    )


def test_what_the_database_has_committed_moves_us_on():
    assert verdict(8, H, H) is Verdict.ADVANCE


def test_an_acknowledgement_of_an_earlier_epoch_is_no_news():
    assert verdict(8, H, H, epoch=OTHER) is Verdict.FOREIGN_EPOCH


def test_a_cloud_restored_from_a_backup_is_sent_again_what_it_lost():
    assert verdict(3, H, H) is Verdict.BEHIND


def test_another_hash_for_our_number_is_another_history():
    assert verdict(8, H, G) is Verdict.OTHER_HISTORY


def test_numbers_that_we_never_sealed_are_another_history():
    """A gateway restored from an old image of its card."""
    assert verdict(11, H, None) is Verdict.OTHER_HISTORY


def test_what_the_ring_no_longer_holds_is_believed():
    assert verdict(6, H, None) is Verdict.ADVANCE


@given(st.integers(0, 100), st.integers(0, 100), st.integers(1, 101), st.booleans(), st.booleans())
def test_nothing_is_ever_taken_for_heard_that_was_not(through, acknowledged, next_seq, is_known, is_same):
    own = H if is_known else None
    found = verdict(through, H if is_same else G, own, acknowledged=acknowledged, next_seq=next_seq)
    if found is Verdict.ADVANCE:
        assert acknowledged <= through < next_seq
        assert is_same or not is_known

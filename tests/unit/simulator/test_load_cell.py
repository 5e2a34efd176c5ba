"""What lies on the scale: one item after the other, still for a while, nothing in between."""

from simulator.scale import LoadCell


def test_each_item_is_put_on_rests_and_is_taken_off():
    cell = LoadCell(1)
    loads = [cell.at(n / 10) for n in range(400)]
    stable = {load.grams for load in loads if load.is_stable}
    assert stable == {0, cell.item(0), cell.item(1)}
    assert any(not load.is_stable for load in loads)


def test_items_weigh_whole_divisions_and_are_the_same_for_the_same_seed():
    assert LoadCell(1).item(5) == LoadCell(1).item(5) != LoadCell(2).item(5)
    assert all(LoadCell(1).item(n) % 5 == 0 for n in range(50))

import keras
import pytest
from keras import layers

from kmaskrcnn.backbones.graph import ancestors, assign_stages, find_taps, trace


def network(last_stride: int = 2) -> keras.Model:
    """Strides 2, 4 (with a skip past ``inside``), 8, 16, 32; a strided convolution each."""
    images = keras.Input((64, 64, 3), name="images")
    x = layers.Conv2D(4, 3, 2, "same", name="stem")(images)
    x = skipped = layers.Conv2D(4, 3, 2, "same", name="four")(x)
    x = layers.Conv2D(4, 3, padding="same", name="inside")(x)
    x = layers.Add(name="joined")([skipped, x])
    x = layers.Conv2D(8, 3, 2, "same", name="eight")(x)
    x = layers.Conv2D(8, 3, 2, "same", name="sixteen")(x)
    x = layers.Conv2D(8, 3, last_stride, "same", name="last")(x)
    return keras.Model(images, x)


def leaping_network() -> keras.Model:
    """A connection leaps from stride 4 to stride 8, past the end of the narrow branch."""
    images = keras.Input((64, 64, 3), name="images")
    x = layers.Conv2D(4, 3, 4, "same", name="four")(images)
    narrow = layers.Conv2D(2, 1, name="narrow")(x)
    a = layers.Conv2D(8, 3, 2, "same", name="eight_a")(narrow)
    b = layers.MaxPooling2D(1, 2, name="eight_b")(layers.Conv2D(8, 1, name="wide")(x))
    x = layers.Add(name="eight")([a, b])
    x = layers.Conv2D(8, 3, 2, "same", name="sixteen")(x)
    return keras.Model(images, layers.Conv2D(8, 3, 2, "same", name="last")(x))


def test_taps_are_the_last_at_each_stride():
    assert find_taps(trace(network())) == {
        "C2": "joined",
        "C3": "eight",
        "C4": "sixteen",
        "C5": "last",
    }


def test_a_tap_holds_all_that_the_network_knows_there():
    # "narrow" and "wide" come later, but each misses what runs through the other
    assert find_taps(trace(leaping_network()))["C2"] == "four"


def test_nodes_know_their_stride_and_whether_a_skip_passes():
    nodes = {n.name: n for n in trace(network())}
    assert nodes["images"].stride == 1 and nodes["stem"].stride == 2
    assert nodes["joined"].is_cut and not nodes["inside"].is_cut
    assert set(nodes["joined"].inputs) == {"four", "inside"}
    assert nodes["last"].channels == 8


def test_taps_can_be_chosen():
    assert find_taps(trace(network()), {"C2": "four"})["C2"] == "four"


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"C2": "nowhere"}, "C2 is to be 'nowhere', but the backbone has no such layer"),
        ({"C2": "eight"}, "its stride is 8.0, expected 4"),
        ({"C6": "last"}, "there is no C6"),
    ],
)
def test_a_wrong_tap_is_named(overrides, message):
    with pytest.raises(ValueError, match=message):
        find_taps(trace(network()), overrides)


def test_a_stride_that_is_never_reached_is_named():
    with pytest.raises(ValueError, match=r"stride 32 \(C5\).* 1, 2, 4, 8, 16"):
        find_taps(trace(network(last_stride=1)))


def test_ancestors_are_all_that_a_node_needs():
    assert ancestors(trace(leaping_network()), "eight_a") == {"images", "four", "narrow", "eight_a"}


def test_stages_end_at_their_taps():
    nodes = trace(network())
    stages = assign_stages(nodes, find_taps(nodes))
    assert stages == {
        "images": "stem",
        "stem": "stem",
        "four": "C2",
        "inside": "C2",
        "joined": "C2",
        "eight": "C3",
        "sixteen": "C4",
        "last": "C5",
    }


def test_layers_behind_the_last_tap_have_no_stage():
    nodes = trace(network(last_stride=1))
    taps = {"C2": "joined", "C3": "eight"}
    assert set(assign_stages(nodes, taps)) == {
        "images",
        "stem",
        "four",
        "inside",
        "joined",
        "eight",
    }

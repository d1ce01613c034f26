"""What Lava's users would notice: stages, threads, variables, ports, and errors that name what is wrong."""

import threading
import time

import numpy as np
import pytest

from firelane.lava.magma.core.process.ports.exceptions import (
    DuplicateConnectionError,
    ReshapeError,
    TransposeIndexError,
    TransposeShapeError,
)
from firelane.lava.magma.core.process.process import AbstractProcess
from firelane.lava.magma.core.run_conditions import RunContinuous, RunSteps
from firelane.lava.magma.core.run_configs import Loihi2HwCfg, Loihi2SimCfg
from firelane.lava.proc.dense.process import DelayDense, Dense
from firelane.lava.proc.io import utils
from firelane.lava.proc.io.extractor import Extractor
from firelane.lava.proc.io.injector import Injector
from firelane.lava.proc.io.sink import RingBuffer as Sink
from firelane.lava.proc.io.source import RingBuffer as Source
from firelane.lava.proc.lif.process import LIF, LIFReset, TernaryLIF
from firelane.lava.proc.monitor.process import Monitor

FIXED = Loihi2SimCfg(select_tag="fixed_pt")


def ramp(**more):
    """A neuron that fires in every fourth step, from a bias alone."""
    return LIF(shape=(1,), dv=0, du=4095, vth=1, bias_mant=20, **more)


def test_a_run_goes_on_where_the_last_one_ended():
    lif = ramp()
    seen = []
    for steps in [1, 1, 3, 0, 2]:
        lif.run(RunSteps(num_steps=steps), run_cfg=FIXED if not seen else None)
        seen.append(lif.v.get().item())
    # 20, 40, 60; 80 is above 64, and the voltage is 0.
    assert seen == [20, 40, 20, 20, 60]
    lif.stop()


def test_variables_are_their_initial_values_ahead_of_the_first_run():
    lif = ramp()
    assert (lif.vth.get(), lif.bias_mant.get(), lif.is_compiled) == (1, 20, False)
    with pytest.raises(ValueError, match=rf"{lif.name}.v: there is no runtime yet"):
        lif.v.set(np.array([1]))
    lif.run(RunSteps(1), FIXED)
    assert lif.is_compiled and lif.vth.get().tolist() == [1.0] and lif.vth.get().dtype == np.float64


def test_what_is_set_acts_in_the_next_step():
    lif = LIF(shape=(2,), du=4095, dv=0, vth=100, bias_mant=[1, 2])
    lif.run(RunSteps(1), FIXED)
    for name, value, expected in [
        ("v", [50, 60], [51, 62]),
        ("bias_mant", [10, -10], [61, 52]),
        ("bias_exp", [1, 2], [81, 12]),
        ("dv", [2048], [60, -34]),
        ("u", [4096, -4096], [50, -57]),
    ]:
        getattr(lif, name).set(np.array(value))
        assert getattr(lif, name).get().tolist() == value
        lif.run(RunSteps(1))
        assert lif.v.get().tolist() == expected, name
    lif.vth.set([0])
    lif.run(RunSteps(1))
    # 50 / 2 + 20 is above a threshold of 0, and gone.
    assert lif.v.get().tolist() == [0, -68]
    lif.du.set([0])
    lif.u.set([1000, 0])
    lif.run(RunSteps(1))
    assert lif.u.get().tolist() == [999, 0]


def test_a_value_that_cant_be_is_refused_and_changes_nothing():
    source = Source(data=np.ones((1, 1), dtype=int))
    dense = Dense(weights=np.array([[1], [2]]), name="syn")
    lif = LIF(shape=(2,), vth=100, name="cell")
    source.s_out.connect(dense.s_in)
    dense.a_out.connect(lif.a_in)
    lif.run(RunSteps(2), FIXED)
    refused = [
        (lif.dv, [4096], r"cell: dv is 4096; it must be 0 to 4095"),
        (lif.bias_mant, [0, 4096], r"cell: bias_mant\[1\] is 4096; it must be -4096 to 4095"),
        (lif.v, [0, 2**23], r"cell: v\[1\] can't be 8388608; it has 24 bits with sign"),
        (lif.v, [1, 2, 3], r"cell.v: 3 values were given; it has 2"),
        (lif.vth, [float("nan")], r"cell.vth: nan is no number that an integer can be"),
        (dense.weights, [[1], [256]], r"syn.weights: 256 is no weight"),
        (dense.weights, [[-257], [1]], r"syn.weights: -257 is no weight"),
        (dense.num_message_bits, [25], r"syn.*num_message_bits is 25; it must be 0 to 24"),
        (lif.vth, "ten", r"cell.vth: numbers are needed"),
    ]
    before = [var.get().tolist() for var, _, _ in refused]
    for var, value, error in refused:
        with pytest.raises(ValueError, match=error):
            var.set(value)
    assert [var.get().tolist() for var, _, _ in refused] == before
    with pytest.raises(NotImplementedError, match="syn.a_buff: what is under way can't be set"):
        dense.a_buff.set([1, 2])
    with pytest.raises(NotImplementedError, match="a part can't be set"):
        lif.v.set(np.array([1]), np.array([0]))
    lif.run(RunSteps(1))
    assert lif.u.get().tolist() == [64 + 63, 128 + 127]


def test_weights_that_are_set_keep_what_is_under_way():
    source = Source(data=np.array([[1, 1, 1, 1, 0, 0, 0, 0]]))
    dense = Dense(weights=np.array([[10]]))
    lif = LIF(shape=(1,), du=4095, dv=4095, vth=1000)
    source.s_out.connect(dense.s_in)
    dense.a_out.connect(lif.a_in)
    lif.run(RunSteps(2), FIXED)
    dense.weights.set(np.array([[7]]))
    # And once more, before it has acted.
    dense.weights.set(np.array([[5]]))
    currents = []
    for _ in range(4):
        lif.run(RunSteps(1))
        currents.append(int(lif.u.get()[0]) >> 6)
    assert currents == [10, 5, 5, 0]
    # In one run it is the same.
    monitor_source, sink = Source(data=np.array([[1]])), Sink(shape=(1,), buffer=6)
    dense = Dense(weights=np.array([[10]]))
    lif = LIF(shape=(1,), du=4095, dv=4095, vth=7)
    monitor_source.s_out.connect(dense.s_in)
    dense.a_out.connect(lif.a_in)
    lif.s_out.connect(sink.a_in)
    lif.run(RunSteps(2), FIXED)
    dense.weights.set([[7]])
    lif.run(RunSteps(4))
    assert sink.data.get().tolist() == [[0, 1, 1, 0, 0, 0]]


def test_weights_that_are_set_ahead_of_the_first_step_are_cut_by_it():
    source, lif = Source(data=np.array([[1], [1]])), LIF(shape=(1,), du=4095, dv=4095, vth=1000)
    dense = Dense(weights=np.array([[2, -2]]))
    source.s_out.connect(dense.s_in)
    dense.a_out.connect(lif.a_in)
    lif.create_runtime(FIXED)
    dense.weights.set([[35, -5]])
    assert dense.weights.get().tolist() == [[35, -5]]
    lif.run(RunSteps(2))
    assert dense.weights.get().tolist() == [[34, -6]] and lif.u.get().tolist() == [28 * 64]


def test_the_longest_delay_stays():
    source = Source(data=np.array([[1, 0, 0, 0, 0, 0, 0, 0]]))
    dense = DelayDense(weights=np.array([[10], [10]]), delays=np.array([[1], [3]]))
    lif = LIF(shape=(2,), du=4095, dv=4095, vth=1000)
    source.s_out.connect(dense.s_in)
    dense.a_out.connect(lif.a_in)
    lif.run(RunSteps(2), FIXED)
    dense.delays.set(np.array([[3], [0]]))
    with pytest.raises(ValueError, match="the longest delay must stay"):
        dense.delays.set(np.array([[4], [0]]))
    with pytest.raises(ValueError, match=r"delays\[0\]\[0\] is 64; it must be 0 to 63"):
        dense.delays.set(np.array([[64], [0]]))
    with pytest.raises(NotImplementedError, match="a_buff"):
        dense.a_buff.get()


def test_a_monitor_says_what_it_has_and_refuses_to_overflow():
    lif = ramp(name="ramp")
    monitor = Monitor()
    monitor.probe(lif.v, 5)
    monitor.probe(lif.s_out, 5)
    monitor.probe(lif.bias_mant, 5)
    lif.run(RunSteps(4), FIXED)
    data = monitor.get_data()["ramp"]
    assert data["v"].tolist() == [[20], [40], [60], [0], [0]] and data["v"].dtype == np.float64
    assert data["s_out"].tolist() == [[0], [0], [0], [1], [0]]
    assert data["bias_mant"].tolist() == [[20]] * 4 + [[0]]
    with pytest.raises(RuntimeError, match=r"it writes ramp.v down for 5 steps, and 4 \+ 2 are more"):
        lif.run(RunSteps(2))
    lif.run(RunSteps(1))
    assert monitor.get_data()["ramp"]["v"][4] == [20]
    with pytest.raises(TypeError, match="a Var or an OutPort can be probed; this is InPort"):
        Monitor().probe(lif.a_in, 3)
    with pytest.raises(RuntimeError, match="ahead of the first run"):
        Monitor().probe(lif.u, 3)


def test_a_run_that_does_not_block_is_waited_for_or_paused():
    lif = ramp()
    lif.run(RunSteps(1000, blocking=False), FIXED)
    lif.wait()
    assert lif.v.get().tolist() == [0]
    lif.run(RunContinuous())
    with pytest.raises(RuntimeError, match="is running; wait"):
        lif.v.get()
    with pytest.raises(RuntimeError, match="run: the network is running"):
        lif.run(RunSteps(1))
    time.sleep(0.05)
    lif.pause()
    taken = lif.runtime.steps
    assert taken > 1001
    lif.run(RunSteps(4 - taken % 4))
    assert lif.v.get().tolist() == [0] and lif.runtime.steps % 4 == 0


def test_stop_is_for_good():
    lif = ramp()
    monitor = Monitor()
    monitor.probe(lif.v, 3)
    lif.run(RunSteps(1), FIXED)
    lif.stop()
    for act in [lif.v.get, lambda: lif.v.set([1]), monitor.get_data, lambda: lif.run(RunSteps(1))]:
        with pytest.raises(RuntimeError, match="has been stopped"):
            act()
    lif.stop()


def echo(**config):
    """What is sent comes back, one step later, as spikes."""
    injector, extractor = Injector(shape=(2,), buffer_size=3, **config), Extractor(shape=(2,), buffer_size=3)
    dense, lif = Dense(weights=np.eye(2, dtype=int) * 2), LIF(shape=(2,), du=4095, dv=4095, vth=1)
    injector.out_port.connect(dense.s_in)
    dense.a_out.connect(lif.a_in)
    lif.s_out.connect(extractor.in_port)
    return injector, extractor, lif


def test_sender_and_network_wait_for_each_other():
    injector, extractor, lif = echo()
    with pytest.raises(AssertionError, match="no runtime yet"):
        injector.send(np.array([1, 0]))
    with pytest.raises(AssertionError, match="no runtime yet"):
        extractor.receive()
    lif.create_runtime(FIXED)
    injector.send(np.array([1, 0]))
    lif.run(RunContinuous())
    injector.send(np.array([0, 1]))
    rows = [extractor.receive() for _ in range(2)]
    assert np.array_equal(rows, [[0, 0], [1, 0]]) and rows[0].dtype == np.float64
    # The network waits now, and can be paused there; nothing is lost.
    lif.pause()
    injector.send(np.array([0, 0]))
    lif.run(RunSteps(1))
    assert extractor.receive().tolist() == [0, 1]
    with pytest.raises(ValueError, match=r"data of the shape \(3,\) was sent; it must be \(2,\)"):
        injector.send(np.array([1, 2, 3]))
    # Of a full channel, the sender waits until the network is stopped.
    for _ in range(3):
        injector.send(np.array([1, 1]))
    threading.Timer(0.1, lif.stop).start()
    with pytest.raises(RuntimeError, match="stopped while it waited to send"):
        injector.send(np.array([1, 1]))
    with pytest.raises(RuntimeError, match="nothing to receive"):
        extractor.receive()


def test_a_pause_loses_nothing_wherever_it_comes():
    other = Injector(shape=(2,))
    injector, extractor, lif = echo()
    dense = Dense(weights=np.eye(2, dtype=int) * 2)
    other.out_port.connect(dense.s_in)
    dense.a_out.connect(lif.a_in)
    lif.create_runtime(FIXED)
    # The one has sent, the other has not: the network waits between the two.
    injector.send(np.array([1, 0]))
    lif.run(RunContinuous())
    time.sleep(0.1)
    lif.pause()
    assert lif.runtime.steps == 0
    for step in range(5):
        other.send(np.array([0, step % 2]))
    for _ in range(2):
        injector.send(np.array([1, 0]))
    # Nobody receives: the extractor has room for three, and the fourth is under way when the pause comes.
    lif.run(RunContinuous())
    injector.send(np.array([0, 0]))
    injector.send(np.array([0, 0]))
    time.sleep(0.2)
    lif.pause()
    rows = [extractor.receive().tolist() for _ in range(3)]
    injector.send(np.array([0, 0]))
    lif.run(RunSteps(1))
    rows += [extractor.receive().tolist() for _ in range(2)]
    assert rows == [[0, 0], [1, 0], [1, 1], [1, 0], [0, 1]]


def test_a_run_that_failed_half_way_is_over():
    source = Source(data=np.array([[1, 2, 2**24]]))
    dense, lif = Dense(weights=np.array([[2]]), num_message_bits=8, name="syn"), LIF(shape=(1,))
    source.s_out.connect(dense.s_in)
    dense.a_out.connect(lif.a_in)
    with pytest.raises(ValueError, match=r"step 3: syn.s_in: unit 0 has the value 16777216"):
        lif.run(RunSteps(5), FIXED)
    with pytest.raises(RuntimeError, match="has been stopped"):
        lif.v.get()


def test_a_channel_that_does_not_wait():
    drop = utils.ChannelConfig(
        utils.SendFull.NON_BLOCKING_DROP, utils.ReceiveEmpty.NON_BLOCKING_ZEROS, utils.ReceiveNotEmpty.FIFO
    )
    injector, extractor, lif = echo(channel_config=drop)
    lif.create_runtime(FIXED)
    for _ in range(3):
        injector.send(np.array([1, 0]))
    with pytest.warns(UserWarning, match="the send buffer is full"):
        injector.send(np.array([0, 1]))
    rows = []
    for _ in range(5):
        lif.run(RunSteps(1))
        rows.append(extractor.receive().tolist())
    assert rows == [[0, 0], [1, 0], [1, 0], [1, 0], [0, 0]]


def test_an_error_in_a_run_beside_is_raised_where_somebody_waits():
    injector, _, lif = echo()
    dense = next(iter(lif.a_in.in_connections)).process
    lif.create_runtime(FIXED)
    dense.num_message_bits.set([8])
    injector.send(np.array([2**24, 0]))
    lif.run(RunSteps(1, blocking=False))
    with pytest.raises(ValueError, match=r"step 1: .*s_in: unit 0 has the value 16777216"):
        lif.wait()


def test_ports_say_what_does_not_fit():
    lif, other = LIF(shape=(2, 3)), LIF(shape=(6,))
    with pytest.raises(AssertionError, match=r"\(2, 3\).*can't be connected with.*\(6,\)"):
        lif.s_out.connect(other.a_in)
    lif.s_out.flatten().connect(other.a_in)
    with pytest.raises(DuplicateConnectionError):
        lif.s_out.reshape((6,)).connect(other.a_in)
    with pytest.raises(ReshapeError, match=r"\(2, 3\) can't be reshaped to \(5,\)"):
        lif.s_out.reshape((5,))
    with pytest.raises(TransposeShapeError):
        lif.s_out.transpose((0,))
    with pytest.raises(TransposeIndexError, match="there is no axis 2"):
        lif.s_out.transpose((0, 2))
    with pytest.raises(AssertionError, match="this is OutPort"):
        lif.s_out.connect(other.s_out)
    with pytest.raises(AssertionError, match="this is InPort"):
        lif.a_in.connect_from(other.a_in)
    with pytest.raises(NotImplementedError, match="can't be concatenated"):
        lif.s_out.concat_with(other.s_out, axis=0)
    third = LIF(shape=(6,))
    third.a_in.connect_from([other.s_out, Source(data=np.ones((6, 2), dtype=int)).s_out])
    lif.run(RunSteps(1), FIXED)
    with pytest.raises(RuntimeError, match="ahead of the first run"):
        lif.s_out.flatten().connect(third.a_in)
    with pytest.raises(TypeError, match="a shape is a tuple"):
        LIF(shape=3)
    with pytest.raises(ValueError, match="there is 0"):
        LIF(shape=(0,))


def test_a_circle_without_a_dense_is_refused():
    first, second = LIF(shape=(1,), name="a"), LIF(shape=(1,), name="b")
    first.s_out.connect(second.a_in)
    second.s_out.connect(first.a_in)
    with pytest.raises(ValueError, match="a, b: these are connected in a circle without a Dense"):
        first.run(RunSteps(1), FIXED)
    # The order in which they were made does not matter.
    late, early = LIF(shape=(1,), du=4095, dv=4095, vth=0), LIF(shape=(1,), vth=0, bias_mant=1)
    early.s_out.connect(late.a_in)
    late.run(RunSteps(1), FIXED)
    assert late.u.get().tolist() == [64]


@pytest.mark.parametrize(
    "make, error",
    [
        (lambda: Dense(weights=np.array([1, 2])), r"weights must be a matrix"),
        (lambda: TernaryLIF(shape=(1,), vth_hi=1, vth_lo=2), r"vth_lo is 2 and vth_hi 1"),
        (lambda: LIFReset(shape=(1,), reset_interval=0), r"reset_interval is 0"),
        (lambda: LIFReset(shape=(1,), reset_offset=-1), r"reset_offset is -1"),
        (lambda: DelayDense(weights=np.eye(2), delays=-1), r"delays must be 0 or more"),
        (lambda: DelayDense(weights=np.eye(2), delays=np.ones((2, 3), dtype=int)), r"delays have the shape \(2, 3\)"),
        (lambda: DelayDense(weights=np.eye(2), delays=np.ones((2, 2))), r"delays must be whole numbers"),
        (lambda: DelayDense(weights=np.eye(2), delays=5, max_delay=4), r"max_delay is 4; the longest delay is 5"),
        (lambda: Source(data=np.array([1, 2])), r"data must have units and steps"),
        (lambda: Sink(shape=(1,), buffer=0), r"buffer is 0"),
        (lambda: Loihi2SimCfg(), r"select_tag is None.*fixed_pt"),
        (lambda: Loihi2SimCfg(select_tag="floating_pt"), r"select_tag is 'floating_pt'"),
        (lambda: Injector(shape=(1,), buffer_size=0), r"buffer_size must be 1 or more"),
    ],
)
def test_what_cant_be_made_says_why(make, error):
    with pytest.raises(ValueError, match=error):
        make()


def test_what_is_not_there_says_so():
    for make, error in [
        (Loihi2HwCfg, "there is no Loihi here"),
        (
            lambda: Loihi2SimCfg(select_tag="fixed_pt", exception_proc_model_map={LIF: object}),
            "exception_proc_model_map",
        ),
        (lambda: Loihi2SimCfg(select_tag="fixed_pt", callback_fxs=[1]), "callback_fxs"),
    ]:
        with pytest.raises(NotImplementedError, match=error):
            make()

    class Own(AbstractProcess):
        pass

    with pytest.raises(NotImplementedError, match="a Own can't be run here: there are LIF"):
        Own().run(RunSteps(1), FIXED)
    with pytest.raises(ValueError, match="run_cfg must be given ahead of the first run"):
        ramp().run(RunSteps(1))
    with pytest.raises(TypeError, match="run_cfg must be a Loihi2SimCfg"):
        ramp().run(RunSteps(1), run_cfg="fixed_pt")
    with pytest.raises(TypeError, match="the condition must be RunSteps or RunContinuous"):
        ramp().run(5, FIXED)
    for wrong in [-1, None]:
        with pytest.raises(ValueError, match="num_steps"):
            ramp().run(RunSteps(wrong), FIXED)


@pytest.mark.parametrize(
    "params, error",
    [
        (dict(du=4096), "cell: du is 4096; it must be 0 to 4095"),
        (dict(vth=131_072), "cell: vth is 131072; it must be 0 to 131071"),
        (dict(bias_exp=8), r"cell: bias_exp\[0\] is 8; it must be -15 to 7"),
        (dict(u=[1, 2, 3]), r"cell.u: values of the shape \(3,\) do not fit the shape \(2,\)"),
        (dict(v=[0, -(2**23)]), r"cell: v0\[1\] is -8388608"),
    ],
)
def test_numbers_out_of_range_are_named(params, error):
    with pytest.raises(ValueError, match=error):
        LIF(shape=(2,), name="cell", **params).run(RunSteps(1), FIXED)


def test_what_is_not_whole_is_cut_with_a_warning():
    source = Source(data=np.ones((1, 2)))
    dense = Dense(weights=np.array([[10.9], [-10.9]]), name="syn")
    lif = LIF(shape=(2,), du=4095)
    source.s_out.connect(dense.s_in)
    dense.a_out.connect(lif.a_in)
    with pytest.warns(UserWarning, match="syn.weights: 10.9 is not whole"):
        lif.run(RunSteps(2), FIXED)
    assert dense.weights.get().tolist() == [[10], [-10]] and lif.u.get().tolist() == [640, -640]


def test_a_parameter_that_is_not_there_is_told():
    with pytest.warns(UserWarning, match="Dense: there is no parameter 'weigth_exp'"):
        dense = Dense(weights=np.eye(2), weigth_exp=1)
    assert dense.proc_params["weigth_exp"] == 1
    with pytest.warns(UserWarning, match="LIF: there is no parameter 'tau'"):
        LIF(shape=(1,), tau=3)
    with pytest.raises(KeyError):
        dense.proc_params["weigth_exp"] = 2


def test_members_know_their_names():
    lif = LIF(shape=(2,), name="cell")
    assert lif.vars.member_names == ["u", "v", "du", "dv", "bias_exp", "bias_mant", "vth"]
    assert lif.in_ports.a_in is lif.a_in and [port.name for port in lif.out_ports] == ["s_out"]
    assert lif.v.process is lif and lif.v.label == "cell.v" and "shape: (2,)" in repr(lif.v)
    assert LIF(shape=(1,)).id == lif.id + 1 and LIF(shape=(1,)).name == f"Process_{lif.id + 2}"
    # Two of one name are told apart.
    first, second = LIF(shape=(1,), name="twice", bias_mant=1), LIF(shape=(1,), name="twice", bias_mant=2)
    first.s_out.connect(second.a_in)
    first.run(RunSteps(1), FIXED)
    assert (first.v.get().tolist(), second.v.get().tolist()) == ([1], [2])


def test_without_neurons_there_is_a_network_too():
    source = Source(data=np.array([[1, 2, 3], [0, 5, 0]]))
    dense = Dense(weights=np.array([[1, 10], [2, -3]]), num_message_bits=8)
    sink, straight = Sink(shape=(2,), buffer=4), Sink(shape=(2,), buffer=2)
    source.s_out.connect([dense.s_in, straight.a_in])
    dense.a_out.connect(sink.a_in)
    sink.run(RunSteps(4), FIXED)
    # Mixed weights are even.
    assert sink.data.get().tolist() == [[0, 0, 2 * 0 + 50, 0], [0, 2, 4 - 20, 6]]
    assert straight.data.get().tolist() == [[3, 1], [0, 0]]

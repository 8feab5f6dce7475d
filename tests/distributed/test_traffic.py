"""Communication counted from the text of a compiled program."""

from qpm_jax.distributed.traffic import traffic

PROGRAM = """
  %all-reduce.1 = f32[64]{0} all-reduce(f32[64]{0} %x), channel_id=1, to_apply=%add
  %all-reduce.2 = (f32[8]{0}, bf16[4,2]{1,0}) all-reduce(f32[8] %a, bf16[4,2] %b)
  %all-gather.3 = f32[16,4]{1,0} all-gather(f32[2,4]{1,0} %p), dimensions={0}
  %ag = (f32[2,4]{1,0}, f32[16,4]{1,0}) all-gather-start(f32[2,4]{1,0} %p)
  %agd = f32[16,4]{1,0} all-gather-done(%ag)
  ROOT %rs = f32[8]{0} reduce-scatter(f32[64]{0} %x), dimensions={0}
  %fusion = f32[64]{0} fusion(f32[64]{0} %all-reduce.1), kind=kLoop
"""


def test_operations_and_bytes_are_counted_by_kind():
    seen = traffic(PROGRAM, 8)
    assert {kind: one.operations for kind, one in seen.items()} == {
        "all-gather": 2,
        "all-reduce": 2,
        "reduce-scatter": 1,
    }
    assert seen["all-reduce"].result_bytes == 4 * 64 + 4 * 8 + 2 * 8
    assert seen["all-gather"].result_bytes == 2 * 4 * 64
    assert seen["reduce-scatter"].result_bytes == 4 * 8


def test_a_device_sends_what_the_ring_algorithms_need():
    seen = traffic(PROGRAM, 8)
    assert seen["all-reduce"].sent_bytes == 2 * 7 / 8 * 304
    # Together they are an all-reduce of the same array.
    assert seen["reduce-scatter"].sent_bytes == 7 / 8 * 256
    assert seen["all-gather"].sent_bytes == 2 * 7 / 8 * 256


def test_a_program_without_communication_has_none():
    assert traffic("%y = f32[64]{0} add(f32[64]{0} %a, f32[64]{0} %b)", 8) == {}

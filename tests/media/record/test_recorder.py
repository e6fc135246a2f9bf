"""Recorded media decode, and say the right time, whatever the publisher's clock and the network do."""

from __future__ import annotations

import json
import shutil
import subprocess
from itertools import pairwise
from pathlib import Path

import pytest

from media.parameters import Codec
from tests.support.recording import (
    H264,
    VP8,
    Camera,
    Microphone,
    Studio,
    Weather,
    beeps,
    decode_pictures,
    decode_sound,
    new_studio,
    spans,
)

pytestmark = pytest.mark.slow

PICTURE_MS, SOUND_MS = 100, 60


def assert_pictures_on_time(studio: Studio, fps: int = 20, at_least: int = 1) -> None:
    count = 0
    for init in studio.entries("camera", "init"):
        for ms, number, _ in decode_pictures(studio.file("camera", init["k"])):  # type: ignore[arg-type]
            assert abs(ms - number * 1000 / fps) <= PICTURE_MS, (ms, number)
            count += 1
    assert count >= at_least


def assert_sound_on_time(studio: Studio, at_least: int = 1, from_ms: float = 0) -> None:
    found = [ms for ms in beeps(*decode_sound(studio.file("mic"))) if ms >= from_ms]
    assert len(found) >= at_least
    for ms in found:
        assert abs(ms - round(ms / 1000) * 1000) <= SOUND_MS, found


def assert_never_backwards(studio: Studio, track: str) -> None:
    ends = 0
    for start, end in spans(studio.entries(track, "fragment")):
        assert ends <= start < end
        assert end - start <= 2000
        ends = end


@pytest.mark.parametrize("codec", [H264, VP8], ids=["h264", "vp8"])
@pytest.mark.parametrize("wrong", [0.0, 3600.0, -3600.0], ids=["right", "hour-ahead", "hour-behind"])
def test_room_time_whatever_the_laptops_clock_says(codec: Codec, wrong: float) -> None:
    studio = new_studio(wrong=wrong, weather=Weather(jitter=0.03))
    studio.publish("camera", Camera(codec))
    studio.publish("mic", Microphone())
    studio.run(9)
    studio.finish()
    assert_pictures_on_time(studio, at_least=175)
    assert_sound_on_time(studio, at_least=8)
    for track in ("camera", "mic"):
        assert_never_backwards(studio, track)
        assert studio.entries(track, "gap") == []


def test_a_clock_set_right_in_mid_lesson_moves_nothing() -> None:
    studio = new_studio(wrong=-3600.0)
    studio.publish("camera", Camera(H264))
    studio.publish("mic", Microphone())
    studio.run(6)
    studio.wrong = 0.0
    studio.run(8)
    studio.finish()
    assert_pictures_on_time(studio, at_least=275)
    assert_sound_on_time(studio, at_least=13)
    assert studio.entries("camera", "gap") == studio.entries("mic", "gap") == []


def test_a_segment_begins_at_a_key_frame_at_least_every_six_seconds() -> None:
    studio = new_studio()
    studio.publish("camera", Camera(VP8))
    studio.run(15)
    studio.finish()
    fragments = studio.entries("camera", "fragment")
    starts = [f["from_ms"] for f in fragments if f["random_access"]]
    assert fragments[0]["random_access"] and len(starts) >= 3
    assert max(b - a for a, b in pairwise(starts)) <= 6500  # type: ignore[operator]
    assert any(not f["random_access"] for f in fragments)


@pytest.mark.parametrize("codec", [H264, VP8], ids=["h264", "vp8"])
@pytest.mark.parametrize("seed", range(3))
def test_loss_and_reordering_leave_no_broken_picture(codec: Codec, seed: int) -> None:
    studio = new_studio(weather=Weather(jitter=0.08, loss=0.01, seed=seed))
    studio.publish("camera", Camera(codec))
    studio.publish("mic", Microphone())
    studio.run(12)
    studio.finish()
    assert_pictures_on_time(studio, at_least=60)
    # The very first packets may all be late ones: with 80 ms of jitter the clock is learnt within two seconds.
    assert_sound_on_time(studio, at_least=8, from_ms=2000)
    assert_never_backwards(studio, "camera")
    assert studio.entries("mic", "gap") == []
    for gap in studio.entries("camera", "gap"):
        assert gap["cause"] == "loss"


def test_after_loss_a_key_frame_is_wanted_and_the_hole_is_marked() -> None:
    studio = new_studio()
    studio.answers_key_requests = False
    studio.publish("camera", Camera(VP8))
    studio.run(3)
    camera, _ = studio.names["camera"]
    camera.packets(studio.now)  # sent into the void
    studio.run(2)
    studio.answers_key_requests = True
    studio.run(3)
    studio.finish()
    (gap,) = studio.entries("camera", "gap")
    assert gap["cause"] == "loss"
    assert 2900 < gap["from_ms"] < 3200 and 4900 < gap["to_ms"] < 6300  # type: ignore[operator]
    assert any(f["from_ms"] == gap["to_ms"] and f["random_access"] for f in studio.entries("camera", "fragment"))


def test_a_teacher_who_comes_back_continues_the_same_track() -> None:
    studio = new_studio(wrong=3600.0)
    studio.publish("camera", Camera(H264))
    studio.publish("mic", Microphone())
    studio.run(5)
    studio.unpublish("camera")
    studio.unpublish("mic")
    studio.run(3)
    studio.wrong = -120.5  # another laptop
    studio.publish("camera", Camera(H264, ssrc=0x3333, base=5, sequence=9))
    studio.publish("mic", Microphone(ssrc=0x4444, base=123_456_789, sequence=7))
    studio.run(6)
    studio.finish()
    assert_pictures_on_time(studio, at_least=200)
    assert_sound_on_time(studio, at_least=9)
    for track in ("camera", "mic"):
        (gap,) = studio.entries(track, "gap")
        assert gap["cause"] == "reconnect"
        assert 4900 <= gap["from_ms"] <= 5100 and 7900 <= gap["to_ms"] <= 8200  # type: ignore[operator]


def test_a_new_size_or_codec_is_a_new_init() -> None:
    studio = new_studio()
    studio.publish("camera", Camera(H264, size=(320, 180)))
    studio.run(3)
    studio.publish("camera", Camera(H264, size=(640, 360), ssrc=0x5555))
    studio.run(3)
    studio.publish("camera", Camera(VP8, size=(640, 360), ssrc=0x6666))
    studio.run(3)
    studio.finish()
    inits = studio.entries("camera", "init")
    assert [(i["width"], i["height"]) for i in inits] == [(320, 180), (640, 360), (640, 360)]
    assert ["avc1" in str(i["mime"]) for i in inits] == [True, True, False]
    assert_pictures_on_time(studio, at_least=170)


def test_short_silence_is_filled_and_long_silence_is_marked() -> None:
    studio = new_studio()
    studio.publish("mic", Microphone())
    studio.run(2)
    studio.paused = {"mic"}
    studio.run(0.6)  # shorter than a second: silence in the file
    studio.paused = set()
    studio.run(2.4)
    studio.paused = {"mic"}
    studio.run(3)  # longer: a gap
    studio.paused = set()
    studio.run(3)
    studio.finish()
    (gap,) = studio.entries("mic", "gap")
    assert gap["cause"] == "pause" and 2900 < gap["to_ms"] - gap["from_ms"] < 3100  # type: ignore[operator]
    start = studio.entries("mic", "fragment")
    until_gap = [f for f in start if f["to_ms"] <= gap["from_ms"]]  # type: ignore[operator]
    for (_, end), (begin, _) in pairwise(spans(until_gap)):
        assert begin - end <= 1


def test_saved_ms_waits_for_the_oldest_unsaved_fragment() -> None:
    studio = new_studio()
    studio.publish("camera", Camera(VP8))
    studio.publish("mic", Microphone())
    studio.run(6)
    assert studio.recorder.saved_ms == 0
    keys = [item.key for item in studio.objects]
    for key in keys[1:]:
        studio.recorder.saved(key)
    held = studio.objects[0].entry.get("fragment", {}).get("from_ms", 0)
    assert studio.recorder.saved_ms <= max(held, 100) or "init" in studio.objects[0].entry
    studio.recorder.saved(keys[0])
    assert studio.recorder.saved_ms >= 3500
    manifest = studio.recorder.manifest()
    assert {track["track"] for track in manifest["tracks"]} == {"camera", "mic"}
    assert json.loads(json.dumps(manifest))["saved_ms"] >= studio.recorder.saved_ms


def test_no_fragment_waits_longer_than_two_seconds_in_memory() -> None:
    studio = new_studio()
    studio.publish("camera", Camera(VP8))
    studio.publish("mic", Microphone())
    waited = 0.0
    for _ in range(60):
        studio.run(0.1)
        for track in ("camera", "mic"):
            done = max((end for _, end in spans(studio.entries(track, "fragment"))), default=0)
            waited = max(waited, (studio.now - 5000.0) * 1000 - done)
    assert waited <= 1800


def test_a_stuttering_camera_leaves_no_holes_that_are_none() -> None:
    studio = new_studio()
    studio.publish("camera", Camera(VP8))
    for _ in range(6):
        studio.run(1.6)
        studio.paused = {"camera"}  # an old PC that is busy with something else
        studio.run(0.7)
        studio.paused = set()
    studio.finish()
    for (_, end), (begin, _) in pairwise(spans(studio.entries("camera", "fragment"))):
        assert begin == end
    assert studio.entries("camera", "gap") == []


def test_after_a_hole_a_key_frame_is_wanted_at_once() -> None:
    studio = new_studio()
    studio.publish("camera", Camera(VP8))
    studio.run(1)
    studio.paused = {"camera"}
    studio.run(4)
    studio.paused = set()
    studio.run(2)
    studio.finish()
    fragments = studio.entries("camera", "fragment")
    after = [f for f in fragments if f["from_ms"] > 4500]  # type: ignore[operator]
    assert any(f["random_access"] and f["from_ms"] < 5600 for f in after)  # type: ignore[operator]


def test_another_recorder_of_the_same_epoch_reuses_no_key() -> None:
    studio = new_studio()
    studio.publish("camera", Camera(VP8))
    studio.run(3)
    studio.finish()
    again = new_studio()
    again.now = studio.now  # the node was killed and goes on
    again.publish("camera", Camera(VP8, ssrc=9))
    again.run(3)
    again.finish()
    keys = [{item.key for item in s.objects if item.data} for s in (studio, again)]
    assert keys[0] and keys[1] and not keys[0] & keys[1]


def test_a_codec_without_container_is_refused() -> None:
    from media.errors import PeerError

    with pytest.raises(PeerError):
        new_studio().recorder.add_track("camera", "camera", Codec("video/AV1", 45, 90_000))


def test_garbage_packets_are_counted_not_raised() -> None:
    studio = new_studio()
    sink = studio.recorder.add_track("camera", "camera", VP8)
    for packet in (b"", b"\x80", b"\x80" * 12, bytes(40), b"\xbf" + b"\xff" * 30):
        sink.on_rtp(packet, studio.now)
    assert studio.recorder.take(studio.now, flush=True) == []


@pytest.mark.real
@pytest.mark.parametrize("codec", [H264, VP8], ids=["h264", "vp8"])
def test_ffprobe_finds_no_fault(codec: Codec, tmp_path: Path) -> None:
    if shutil.which("ffprobe") is None:
        pytest.skip("no ffprobe (Debian: ffmpeg)")
    studio = new_studio(weather=Weather(jitter=0.02))
    studio.publish("camera", Camera(codec))
    studio.publish("mic", Microphone())
    studio.run(6)
    studio.finish()
    for track, kind in (("camera", codec.mime.split("/")[1].lower()), ("mic", "opus")):
        path = tmp_path / track
        path.write_bytes(studio.file(track))
        argv = ["ffprobe", "-v", "error", "-count_frames", "-show_streams", "-of", "json", str(path)]
        ran = subprocess.run(argv, capture_output=True, check=True, text=True)
        (stream,) = json.loads(ran.stdout)["streams"]
        assert ran.stderr == ""
        assert stream["codec_name"] == kind
        assert int(stream["nb_read_frames"]) > 100

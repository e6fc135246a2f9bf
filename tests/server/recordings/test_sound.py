"""The lesson's sound to keep: real Opus fragments become one m4a in which every beep is where the replay has it."""

from __future__ import annotations

import io
import itertools
import json
from datetime import timedelta

import av
import pytest

from media.record.manifest import Manifest, manifest_key
from server.clock import to_ms
from server.recordings.models import Recording
from tests.support.recording import Microphone, beeps, decode_sound, new_studio
from tests.support.web import MONDAY, Web

FIRST, HOLE, SECOND = 4.0, 2.0, 3.0


async def store_sound(web: Web, lesson: str) -> None:
    """Four seconds with a beep each, two of nothing, three more from a microphone that came back."""
    studio = new_studio()
    studio.publish("mic", Microphone())
    studio.run(FIRST)
    studio.unpublish("mic")
    studio.run(HOLE)
    studio.publish("mic", Microphone(ssrc=0x8888, base=99))
    studio.run(SECOND)
    studio.finish()
    manifest = Manifest(lesson, 1, to_ms(MONDAY))
    for item in studio.objects:
        if item.data:
            await web.objects.put(item.key.replace("lessons/lesson1/", f"lessons/{lesson}/"), item.data)
        manifest.add(json.loads(json.dumps(item.entry).replace("lessons/lesson1/", f"lessons/{lesson}/")))
    await web.objects.put(manifest_key(lesson, 1), manifest.encode())


@pytest.mark.slow
async def test_one_file_with_the_gap_in_it_and_only_for_whom_it_is(web: Web) -> None:
    district, far = await web.district(), await web.district("120119", "far")
    school, other = await web.school(district), await web.school(far, "远郊小学")
    teacher = await web.person("teacher", school=school)
    lesson = await web.lesson(
        teacher, await web.room(school, "主讲", kind="lead"), await web.room(school), state="closed"
    )
    await web.add(
        Recording(
            lesson_id=lesson.id, state="closed", last_epoch=1, duration_ms=9000, bytes=1, gaps=0, updated_at=MONDAY
        )
    )
    url = f"/api/v1/lessons/{lesson.id}/sound.m4a"
    web.clock.moment += timedelta(hours=2)
    assert (await (await web.sign_in(teacher)).get(url)).status_code == 404, "nothing stored yet"
    await store_sound(web, lesson.id)
    answer = await (await web.sign_in(teacher)).get(url)
    assert answer.status_code == 200 and answer.headers["content-type"] == "audio/mp4"
    assert "attachment" in answer.headers["content-disposition"]
    with av.open(io.BytesIO(answer.content)) as container:
        assert container.streams.audio[0].codec_context.name == "aac"
    start, sound = decode_sound(answer.content)
    assert len(sound) / 48_000 == pytest.approx(FIRST + HOLE + SECOND, abs=0.4)
    heard = beeps(start, sound)
    assert len(heard) >= 5
    pauses = [b - a for a, b in itertools.pairwise(heard)]
    assert max(pauses) > 1900, "the hole is as long as it was"
    stranger = await web.sign_in(await web.person("teacher", school=other))
    assert (await stranger.get(url)).status_code == 404
    pupil = await web.sign_in(await web.person("pupil", school=school))
    assert (await pupil.get(url)).status_code in (403, 404)

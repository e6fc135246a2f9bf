"""RTP to playable fragments, without decoding. The recorder is a subscriber like any other.

Layout in the object store (``{e}`` is the epoch, ``{track}`` one of "camera", "mic", "screen"):

    lessons/{lesson}/e{e}/manifest.json                  rewritten by the owner of that epoch's spool only
    lessons/{lesson}/e{e}/{track}/init-{k}.mp4|.webm     a new one per codec or picture size
    lessons/{lesson}/e{e}/{track}/{n:06d}.m4s|.webm      fragments of at most 2 s, whose timestamps ARE room time
    lessons/{lesson}/ops/e{e}-{first_seq:08d}.jsonl      chunks of the op log
    lessons/{lesson}/slides/{deck}/{page:03d}.webp       pages of an uploaded deck (written by the web)

manifest.json: {"v": 1, "lesson", "epoch", "opened_at_ms", "saved_ms", "closed": bool, "tracks": [{"track", "source",
"mime": 'video/mp4; codecs="avc1.42e01f"', "inits": [{"k", "key", "mime", "width", "height"}],
"fragments": [{"n", "key", "init": k, "from_ms", "to_ms", "random_access": bool, "size", "sha256"}],
"gaps": [{"from_ms", "to_ms", "cause"}]}]}

``n`` and ``k`` are the room time (ms) at which the fragment, or the first one of an init, begins: a restarted recorder
of the same epoch can never write over what an earlier one stored. ``opened_at_ms`` is room time zero on the wall clock.
"""

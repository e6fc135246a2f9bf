"""What must survive ``kill -9``, a full disk and a store that is away: three durable queues of the node.

The rule of all three: acknowledged means on disk (fsync), and a local copy goes only when somebody else surely has it.

    journal = JournalFile(path)                      signaling.ports.Journal; one file a room
        await journal.append(records)                returns after fsync (group commit: all who wait ride on one)
        journal.read() -> [bytes]                    what an earlier process wrote; a torn last line is cut off
        await journal.close(); journal.remove()      after everything in it was shipped
    facts = FactSpool(folder)                        signaling.ports.FactSink
        await facts.put([Fact…])
        facts.batch(500) -> Batch(facts, …)          oldest first, none when empty; facts.advance(batch) after the ack
        await facts.wait(s); facts.stalled; facts.bytes; await facts.close()
    spool = MediaSpool(folder, store, quota_bytes=…, on_saved=…)
        await spool.start()                          finds what an earlier process left, uploads it under its OLD epoch
        await spool.put(o.key, o.data, content_type=o.content_type, entry=o.entry)     for o in recorder.take(now)
        spool.stalled, spool.error, spool.bytes, spool.pending
        await spool.drain(seconds); await spool.stop()
        on_saved(key) is called when the object was read back from the store AND stands in the stored manifest: hand
        it to ``Recorder.saved(key)``.

On a full disk nothing raises and the lesson goes on: records stay in memory (bounded for media), are shipped from
there, and ``stalled`` / ``error`` say so ("disk" or "store") for the teacher's page, until writing works again.
"""

from __future__ import annotations

from signaling.net.factspool import Batch, FactSpool
from signaling.net.journal import JournalFile
from signaling.net.mediaspool import MediaSpool

__all__ = ["Batch", "FactSpool", "JournalFile", "MediaSpool"]

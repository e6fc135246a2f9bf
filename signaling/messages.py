"""Every message between a client and a node, both ways, and between web and node. JSON, one object a WebSocket text
frame.

Unknown fields and types are errors (code ``message``); every string and list is bounded. The same names are
documented in ``signaling/README.md`` and typed for the browser in ``frontend/modules/protocol/messages.js``.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

PROTOCOL_VERSION = 1
MAX_MESSAGE_BYTES = 64 * 1024

Id = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._:-]+$")]
Sdp = Annotated[str, Field(min_length=20, max_length=48 * 1024)]


class _Message(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


# --- client -> node ---------------------------------------------------------------------------------------------------


class LastSeen(_Message):
    epoch: int
    seq: int


class Join(_Message):
    """First message on every socket. ``token`` is a seat or a resume token; ``last`` the last op applied, if any."""

    type: Literal["join"]
    v: int
    lesson: Id
    token: Annotated[str, Field(max_length=4096)]
    last: LastSeen | None = None
    device: Id | None = None
    """Random id a page keeps while it lives: the same device coming back replaces itself; another one of the same seat
    takes the seat over and the older socket gets ``closed`` with reason "elsewhere"."""


class Intent(_Message):
    """Something a person wants; becomes an op if the role may do it (``roles.py``) and the state allows it
    (``room.py``). Answered by ``done`` {id} after the op is durable, or ``error`` {id, code}. Repeating an id does it
    once."""

    type: Literal["do"]
    id: Id
    kind: Id
    body: dict[str, Any] = Field(default_factory=dict)


class Offer(_Message):
    """An SDP offer for one of the client's two peer connections. A new offer for the same ``pc`` replaces the old
    transport unless it is an ICE restart or renegotiation of it (same fingerprint)."""

    type: Literal["offer"]
    id: Id
    pc: Literal["pub", "sub"]
    sdp: Sdp
    sources: dict[str, Literal["camera", "mic", "screen", "screen-audio"]] = Field(default_factory=dict, max_length=8)
    """mid -> what is sent on it; for ``pub`` only."""


class Report(_Message):
    """Every 10 s: what this endpoint rendered since its last report, measured by media counters (getStats), not by
    hope. ``heard_ms``: the lead teacher's sound played out (concealment does not count); ``saw_ms``: new pictures
    rendered."""

    type: Literal["report"]
    connected_ms: Annotated[int, Field(ge=0, le=60_000)]
    heard_ms: Annotated[int, Field(ge=0, le=60_000)]
    saw_ms: Annotated[int, Field(ge=0, le=60_000)]
    rtt_ms: Annotated[float, Field(ge=0, le=60_000)] | None = None
    loss: Annotated[float, Field(ge=0, le=1)] | None = None
    jitter_ms: Annotated[float, Field(ge=0, le=60_000)] | None = None
    freezes: Annotated[int, Field(ge=0, le=10_000)] = 0


class Ping(_Message):
    """``t`` comes back in ``pong`` with the room time: the client's clock offset."""

    type: Literal["ping"]
    t: float


class Leave(_Message):
    type: Literal["leave"]


ClientMessage = Join | Intent | Offer | Report | Ping | Leave
client_message: TypeAdapter[ClientMessage] = TypeAdapter(Annotated[ClientMessage, Field(discriminator="type")])


# --- intents (``do``.kind) and the ops they become --------------------------------------------------------------------
#
#   kind              body                                        who
#   lesson.open       {}                                          teacher
#   lesson.close      {}                                          teacher
#   lesson.reopen     {}  (within five minutes of the close)      teacher
#   deck.open         {deck: Id, pages: 1..500, title}            teacher
#   deck.close        {}                                          teacher
#   page.turn         {page: 1..pages}                            teacher
#   stage.blank       {on: bool}                                  teacher
#   hand.raise        {pupil: 1..99 | null}                       class, assistant
#   hand.lower        {seat?: Id}  (teacher may lower any)        class, assistant, teacher
#   floor.give        {seat: Id}                                  teacher
#   floor.take        {seat: Id | null}  (null: everybody)        teacher, and class/assistant for their own room
#   chat.say          {text: 1..500 chars}                        all but inspector
#   chat.erase        {seq: int}                                  teacher
#   headcount         {expected: 0..99, present: 0..99, absent_seats: [1..99]}   assistant
#   signal            {what: "unheard" | "unclear" | "fast"}      assistant, class
#   robot.drill       {seat: Id}  (断线演练: that robot cuts its line)  teacher
#
# Ops of the node's own: "signin" {room, person} when a companion is admitted, "recording" {on, reason?},
# "epoch" {epoch, from_seq} when a room came to a new node.
# A hand or the floor belongs to a *receiving room seat* ("r-<room>"): an assistant's hand is the room's hand.


# --- node -> client ---------------------------------------------------------------------------------------------------


class Op(_Message):
    """One entry of the room's log. ``t`` is room time in ms; ``by`` a participant id or "node"."""

    seq: int
    epoch: int
    t: int
    kind: Id
    by: Id
    body: dict[str, Any]
    v: int = 1


class Welcome(_Message):
    """``state`` (room.py: state_to_json) is the snapshot after op ``seq``; with ``last`` of this epoch given and
    still held, ``state`` is None and ``ops`` follow instead."""

    type: Literal["welcome"] = "welcome"
    v: int = PROTOCOL_VERSION
    lesson: str
    epoch: int
    seat: str
    role: str
    rights: list[str]
    resume: str
    seq: int
    room_ms: int
    at_ms: int
    state: dict[str, Any] | None
    people: list[dict[str, Any]]
    spec: dict[str, Any]
    """Title, subject, planned times, rooms (id, seat, name, school, expected) for headings: RoomSpec.public()."""
    ops: list[Op] = Field(default_factory=list)
    """The tail after ``last``, when ``state`` is None."""
    transports: list[Literal["pub", "sub"]] = Field(default_factory=list)
    """Peer connections of this seat that still live on the node; offer anew for those not listed."""


class Ops(_Message):
    type: Literal["ops"] = "ops"
    ops: list[Op]


class Done(_Message):
    type: Literal["done"] = "done"
    id: str
    seq: int


class Error(_Message):
    """``code`` is a key of the page's texts: every one has a Chinese and an English sentence that says what to do."""

    type: Literal["error"] = "error"
    code: str
    id: str | None = None
    params: dict[str, Any] = Field(default_factory=dict)
    retry_ms: int | None = None


class Answer(_Message):
    type: Literal["answer"] = "answer"
    id: str
    pc: Literal["pub", "sub"]
    sdp: str


class SlotShows(_Message):
    """What one slot of the client's ``sub`` connection shows now; ``seat`` None: nothing."""

    mid: str
    kind: Literal["audio", "video"]
    seat: str | None
    source: Literal["camera", "mic", "screen", "screen-audio"] | None


class Slots(_Message):
    type: Literal["slots"] = "slots"
    slots: list[SlotShows]


class People(_Message):
    """Who is here now (ephemeral, at most once a second). Each: {seat, role, name, school, room, light: "green" |
    "yellow" | "red", rtt_ms, loss, up_loss, heard: bool, publishing: [source], gets: "high" | "mid" | "low" |
    "stills" | "sound" | null}. ``gets``: what of the teacher's picture reaches this seat now."""

    type: Literal["people"] = "people"
    people: list[dict[str, Any]]


class Speaking(_Message):
    """Who speaks now, the one who leads first (ephemeral, at every change). Only seats that can be heard."""

    type: Literal["speaking"] = "speaking"
    seats: list[str]


class Moved(_Message):
    """The room goes to another node: ask the web for a new seat (its epoch is ``epoch``) and join there, then offer
    anew; picture and sound go on over the old connections meanwhile. Who stays gets ``closed`` with "moved"."""

    type: Literal["moved"] = "moved"
    epoch: int


class Saved(_Message):
    """Everything up to ``room_ms`` is in the object store; ``at_ms`` is that moment on the node's wall clock."""

    type: Literal["saved"] = "saved"
    room_ms: int
    at_ms: int
    stalled: bool = False


class Layers(_Message):
    """To a publisher: somebody takes these layers of what it sends as ``source``; the page pauses the others
    (encodings[].active). Empty: nobody looks at all."""

    type: Literal["layers"] = "layers"
    source: Literal["camera", "mic", "screen", "screen-audio"]
    rids: list[str]


class AudioBudget(_Message):
    """To a publisher: send this sound so from now on; the line of its worst listener is thin, or no longer is."""

    type: Literal["audio-budget"] = "audio-budget"
    source: Literal["camera", "mic", "screen", "screen-audio"]
    bitrate: int
    ptime_ms: int


class Pong(_Message):
    type: Literal["pong"] = "pong"
    t: float
    room_ms: int
    at_ms: int


class Closed(_Message):
    """The last message before the node closes the socket. ``reason``: "ended", "elsewhere", "moved", "revoked",
    "epoch", "full", "shutdown". On "moved", "epoch" and "shutdown" the page asks the web for a new seat."""

    type: Literal["closed"] = "closed"
    reason: str


Told = Speaking | Moved | Saved | Layers | AudioBudget
ServerMessage = Welcome | Ops | Done | Error | Answer | Slots | People | Told | Pong | Closed


# --- web <-> node: the control door -----------------------------------------------------------------------------------
#
# web -> node, Authorization: Bearer <token signed by the web, {"aud": "node", "node": id, "exp": s}>
#   PUT    {control}/rooms/{lesson}       body RoomSpec: open (or keep) the room at this epoch; idempotent; 409 on an
#     older epoch
#   DELETE {control}/rooms/{lesson}       body {epoch, reason}: close it ("cancelled", "moved")
#   POST   {control}/rooms/{lesson}/revoke  body {seat}: throw one seat out and refuse the tokens it has
#   POST   {control}/rooms/{lesson}/handover  body {epoch}: hold still, ship everything; answers {"seq"}; undone after
#     ten seconds without "moved"
#   POST   {control}/rooms/{lesson}/moved   body {epoch}: the room is elsewhere under this epoch; tell everybody
#   GET    {control}/rooms/{lesson}/seen    media statistics of the last minutes
#   PUT    {control}/rooms/{lesson}/sources  body SourceOrders: fetch these from now on, and no others
#   GET    {control}/healthz
# node -> web, Authorization: Bearer <TONGTANG_NODE_SECRET>
#   POST /internal/nodes/{id}/heartbeat   body Heartbeat, every 2 s; answers {"epochs": {lesson: epoch}} for rooms
#     that moved
#   POST /internal/nodes/{id}/drain       move its rooms elsewhere; answers {"moved": [lessons], "kept": [lessons]}
#   POST /internal/facts                  body {"facts": [Fact...]} (at most 500); answers {"stored": [ids]} (known
#     ids too) and {"refused": [ids]} (never to be sent again)
# client -> node
#   GET  {public}/ws                      the WebSocket (Origin checked)
#   POST {public}/whip/{lesson}, /whep/{lesson}; PATCH, DELETE on the returned resource; Authorization: Bearer <seat>


class RoomPlace(_Message):
    """One classroom of the lesson. ``seat`` is "r-" + id for receiving rooms, "t" rooms are the lead's own."""

    id: str
    seat: str
    name: str
    school: str
    lead: bool
    expected: int
    """Pupils on the class's roll."""
    robot: bool = False
    """Nobody sits there: the node itself sends a robot (``robots.py``)."""


class EncoderKey(_Message):
    """A stream key that admits an encoder (WHIP) as this classroom's camera and microphone. The node never holds the
    key itself."""

    room: str
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class RoomSpec(_Message):
    """What the web tells a node of a lesson; also the body of the log's first op, so that a node recovers without the
    web.
    """

    lesson: str
    epoch: int
    title: str
    subject: str
    grade: int
    kind: Literal["formal", "trial", "drill"]
    teacher: str
    """Display name of the lead teacher."""
    teacher_seat: str
    school: str
    starts_at_ms: int
    ends_at_ms: int
    rooms: list[RoomPlace]
    record: bool = True
    encoders: list[EncoderKey] = Field(default_factory=list)

    def public(self) -> dict[str, Any]:
        return self.model_dump(exclude={"record", "encoders"})


class SourceOrder(_Message):
    """Where to fetch a classroom's picture and sound from (RTSP, RTMP). Never logged: ``secret`` is "name:password"."""

    room: str
    address: Annotated[str, Field(max_length=400)]
    secret: Annotated[str, Field(max_length=200)] = ""


class SourceOrders(_Message):
    epoch: int
    sources: Annotated[list[SourceOrder], Field(max_length=16)]


class RoomReport(_Message):
    lesson: str
    epoch: int
    phase: str
    people: int
    saved_ms: int
    stalled: bool


class Heartbeat(_Message):
    node: str
    started_at_ms: int
    public_url: str
    """As a browser reaches it: "wss://host/n/1", or with "{host}" where the page's own host name goes in."""
    control_url: str
    load: float
    """CPU seconds per second of the node process."""
    engine: str
    rooms: list[RoomReport]
    spool_bytes: int
    disk_free_bytes: int
    draining: bool = False
    """It is about to stop: no room shall be put there."""

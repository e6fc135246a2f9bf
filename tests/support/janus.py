"""Janus (Debian's package ``janus``) as a forwarder measured beside ours: its VideoRoom, tuned as it is cheapest.

Tuned: one event loop for all handles instead of a thread each, AES-128-GCM, ICE-lite. Its peers join by its own HTTP
API and the same ICE and DTLS client as ours; SDP is written here by hand.
"""

from __future__ import annotations

import itertools
import json
import re
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

from media.parameters import Fingerprint, IceCredentials, TransportAnswer
from tests.support.fanning import IDS, SSRC
from tests.support.joining import Client, Identity, settle

_ROOM = 1234
_PATIENCE = 20.0
_NO_FEED = 428
_EXTENSIONS = {
    "mid": "urn:ietf:params:rtp-hdrext:sdes:mid",
    "abs_send_time": "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
    "transport_cc": "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
}


def program() -> str | None:
    return shutil.which("janus")


def own_address() -> str:
    """An address that is not loopback: Janus gathers no candidate there. Packets stay on this machine all the same."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as trial:
        trial.connect(("192.0.2.1", 9))  # nothing is sent
        return str(trial.getsockname()[0])


def _free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


def _configure(folder: Path, http: int) -> None:
    (folder / "janus.jcfg").write_text(
        f"""general: {{
    debug_level = 2
    session_timeout = 0
    event_loops = 1
}}
media: {{ ipv6 = false, rtp_port_range = "20000-60000" }}
nat: {{ ice_lite = true, ice_tcp = false, full_trickle = false, ignore_mdns = true,
    ice_enforce_list = "{own_address()}" }}
plugins: {{ disable = "libjanus_audiobridge.so,libjanus_duktape.so,libjanus_lua.so,libjanus_sip.so,libjanus_nosip.so,\
libjanus_streaming.so,libjanus_textroom.so,libjanus_voicemail.so,libjanus_recordplay.so,libjanus_videocall.so,\
libjanus_echotest.so" }}
transports: {{ disable = "libjanus_websockets.so,libjanus_rabbitmq.so,libjanus_mqtt.so,libjanus_nanomsg.so,\
libjanus_pfunix.so" }}
"""
    )
    (folder / "janus.transport.http.jcfg").write_text(
        f'general: {{ json = "compact", base_path = "/janus", http = true, port = {http}, ip = "127.0.0.1", '
        "https = false }\nadmin: { admin_http = false }\n"
    )
    (folder / "janus.plugin.videoroom.jcfg").write_text(
        f'room-{_ROOM}: {{ description = "bench", publishers = 1, bitrate = 0, fir_freq = 0, videocodec = "vp8", '
        "transport_wide_cc_ext = true, notify_joining = false }\n"
    )


class Api:
    """Janus over HTTP: one session, a handle per peer."""

    def __init__(self, port: int) -> None:
        self._root = f"http://127.0.0.1:{port}/janus"
        self._numbers = itertools.count(1)
        self.session = 0

    def open(self) -> None:
        end = time.monotonic() + _PATIENCE
        while True:
            try:
                self.session = self._call(self._root, {"janus": "create"})["data"]["id"]
                return
            except OSError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.1)

    def attach(self) -> int:
        body = {"janus": "attach", "plugin": "janus.plugin.videoroom"}
        return int(self._call(f"{self._root}/{self.session}", body)["data"]["id"])

    def ask(self, handle: int, body: dict[str, Any], jsep: dict[str, str] | None = None) -> dict[str, Any]:
        """The event that answers."""
        message: dict[str, Any] = {"janus": "message", "body": body}
        if jsep is not None:
            message["jsep"] = jsep
        self._call(f"{self._root}/{self.session}/{handle}", message)
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end:
            with urllib.request.urlopen(f"{self._root}/{self.session}?maxev=1", timeout=_PATIENCE) as answer:
                event = json.load(answer)
            if event.get("janus") == "event" and event.get("sender") == handle:
                data = event["plugindata"]["data"]
                if data.get("error_code") == _NO_FEED:  # it has not noticed yet that DTLS is done
                    time.sleep(0.05)
                    return self.ask(handle, body, jsep)
                assert "error" not in data, data
                return dict(event)
        raise TimeoutError(f"Janus did not answer {body}")

    def _call(self, url: str, body: dict[str, Any]) -> dict[str, Any]:
        data = json.dumps({**body, "transaction": str(next(self._numbers))}).encode()
        with urllib.request.urlopen(urllib.request.Request(url, data), timeout=_PATIENCE) as answer:
            return dict(json.load(answer))


# --- SDP, as little as there can be -----------------------------------------------------------------------------------


def _description(client: Client, identity: Identity, section: list[str], types: str) -> str:
    host, port = client.socket.getsockname()[:2]
    lines = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=group:BUNDLE 0", "a=msid-semantic: WMS *"]
    lines += [f"m=video {port} UDP/TLS/RTP/SAVPF {types}", f"c=IN IP4 {host}", "a=mid:0", "a=rtcp-mux"]
    lines += [f"a=ice-ufrag:{client.ice.ufrag}", f"a=ice-pwd:{client.ice.pwd}", "a=setup:active"]
    lines += [f"a=fingerprint:{identity.fingerprint.algorithm} {identity.fingerprint.value}", *section]
    lines += [f"a=candidate:1 1 udp 2130706431 {host} {port} typ host", "a=end-of-candidates"]
    return "\r\n".join(lines) + "\r\n"


def _offer(client: Client, identity: Identity) -> str:
    section = ["a=sendonly", "a=rtpmap:96 VP8/90000", "a=rtcp-fb:96 nack", "a=rtcp-fb:96 nack pli"]
    section += ["a=rtcp-fb:96 transport-cc", f"a=ssrc:{SSRC} cname:bench", f"a=ssrc:{SSRC} msid:s v", "a=msid:s v"]
    section += [f"a=extmap:{IDS[name]} {uri}" for name, uri in _EXTENSIONS.items()]
    return _description(client, identity, section, "96")


def _answer(client: Client, identity: Identity, offer: str) -> str:
    """Takes VP8, its RTX and every extension of ours that is offered."""
    kept = [line for line in offer.splitlines() if re.match(r"a=(rtpmap|rtcp-fb|fmtp):", line)]
    kept += [line for line in offer.splitlines() if any(line.endswith(f" {u}") for u in _EXTENSIONS.values())]
    types = re.search(r"^m=video \d+ \S+ (.*?)\s*$", offer, re.M)
    assert types, offer
    return _description(client, identity, ["a=recvonly", *kept], types.group(1))


def _parameters(sdp: str) -> tuple[TransportAnswer, int]:
    """What the client needs of Janus' side, and its UDP port."""

    def one(pattern: str) -> str:
        found = re.search(pattern, sdp, re.M)
        assert found, (pattern, sdp)
        return found.group(1).strip()

    ice = IceCredentials(one(r"^a=ice-ufrag:(.*)$"), one(r"^a=ice-pwd:(.*)$"))
    port = int(one(r"^a=candidate:\S+ 1 udp \d+ \S+ (\d+) typ host"))
    return TransportAnswer(ice, Fingerprint("sha-256", one(r"^a=fingerprint:sha-256 (.*)$")), ()), port


class Janus:
    """A room with one publisher and many subscribers."""

    name = "janus"
    sealed = True

    def __init__(self, rooms: int, identity: Identity) -> None:
        self._folder = tempfile.TemporaryDirectory()
        folder, http = Path(self._folder.name), _free_port()
        _configure(folder, http)
        command = [program() or "janus", "-F", str(folder), "-o"]
        with (folder / "log").open("wb") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=folder)
        self.pid = self._process.pid
        self._api, self._identity = Api(http), identity
        self.teacher = Client("teacher", identity, own_address())
        self.rooms = [Client(f"room{i}", identity, own_address()) for i in range(rooms)]
        try:
            self._join()
        except BaseException as error:
            error.add_note((folder / "log").read_text()[-3000:])
            self.close()
            raise

    def _join(self) -> None:
        api, teacher = self._api, self.teacher
        api.open()
        handle = api.attach()
        joined = api.ask(handle, {"request": "join", "ptype": "publisher", "room": _ROOM})
        offer = {"type": "offer", "sdp": _offer(teacher, self._identity)}
        answer = api.ask(handle, {"request": "publish"}, offer)
        self._begin(teacher, answer["jsep"]["sdp"])
        settle([teacher])
        feed = joined["plugindata"]["data"]["id"]
        for room in self.rooms:
            handle = api.attach()
            streams = [{"feed": feed}]
            asked = {"request": "join", "ptype": "subscriber", "room": _ROOM, "streams": streams}
            offered = api.ask(handle, asked)["jsep"]["sdp"]
            answered = {"type": "answer", "sdp": _answer(room, self._identity, offered)}
            api.ask(handle, {"request": "start"}, answered)
            self._begin(room, offered)
            settle([room])

    @staticmethod
    def _begin(client: Client, sdp: str) -> None:
        answer, port = _parameters(sdp)
        client.full = True  # "lite" as it says it is
        client.begin(answer, port, own_address())

    def close(self) -> None:
        self._process.kill()
        self._process.wait(10)
        for client in (self.teacher, *self.rooms):
            client.close()
        self._folder.cleanup()

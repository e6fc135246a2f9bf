// The node's two clocks as this page sees them: room time and the node's wall clock. A computer's own clock may be an hour
// wrong; nothing shown in a lesson depends on it. The sample with the shortest round trip wins (as in NTP).

const KEPT = 10;

export class NodeClock {
  constructor() {
    /** @type {{rtt: number, room: number, wall: number}[]} offsets: node minus local, ms */
    this.samples = [];
  }

  /** Before the first pong: what "welcome" said, as if it had taken no time. @param {number} now @param {number} roomMs @param {number} atMs */
  start(now, roomMs, atMs) {
    this.samples = [{ rtt: 1e6, room: roomMs - now, wall: atMs - now }];
  }

  /** @param {number} sent @param {number} now @param {number} roomMs @param {number} atMs */
  pong(sent, now, roomMs, atMs) {
    const rtt = Math.max(0, now - sent);
    const middle = sent + rtt / 2;
    this.samples.push({ rtt, room: roomMs - middle, wall: atMs - middle });
    if (this.samples.length > KEPT) this.samples.shift();
  }

  get best() {
    return this.samples.reduce((a, b) => (b.rtt < a.rtt ? b : a), this.samples[0]);
  }

  get known() {
    return this.samples.length > 0;
  }

  /** @param {number} now */
  roomMs(now) {
    return this.known ? now + this.best.room : 0;
  }

  /** @param {number} now */
  wallMs(now) {
    return this.known ? now + this.best.wall : Date.now();
  }
}

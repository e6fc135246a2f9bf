// How long to wait before the next attempt: 0.3 s, 0.6 s, then every second for a quarter of a minute, because a node that
// died is back within seconds and a class is waiting; after that every five. Spread by a fifth, so that a building full of
// kiosks does not knock all at once after a power cut.

const STEPS_MS = [300, 600];
const SOON_MS = 1000;
const SOON_ATTEMPTS = 16;
const LATER_MS = 5000;

export class Backoff {
  /** @param {() => number} [random] */
  constructor(random = Math.random) {
    this.random = random;
    this.attempt = 0;
  }

  reset() {
    this.attempt = 0;
  }

  next() {
    const wait = STEPS_MS[this.attempt] ?? (this.attempt < SOON_ATTEMPTS ? SOON_MS : LATER_MS);
    this.attempt += 1;
    return wait * (0.8 + 0.4 * this.random());
  }
}

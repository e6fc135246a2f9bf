// How long to wait before the next attempt: 0.3 s doubling to 5 s, spread by a fifth so that a building full of kiosks does
// not knock all at once after a power cut.

const FIRST_MS = 300;
const LAST_MS = 5000;

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
    const wait = Math.min(LAST_MS, FIRST_MS * 2 ** this.attempt);
    this.attempt += 1;
    return wait * (0.8 + 0.4 * this.random());
  }
}

// What the line to a room needs of the world, handed in so that tests run without network or waiting.

/**
 * @typedef {object} SocketLike
 * @property {number} readyState
 * @property {((event: any) => void) | null} onopen
 * @property {((event: any) => void) | null} onmessage
 * @property {((event: any) => void) | null} onclose
 * @property {((event: any) => void) | null} onerror
 * @property {(data: string) => void} send
 * @property {(code?: number) => void} close
 *
 * @typedef {object} World
 * @property {(url: string) => SocketLike} socket
 * @property {() => number} now ms, monotonic
 * @property {(run: () => void, ms: number) => any} later
 * @property {(timer: any) => void} cancel
 * @property {() => number} random
 */

/** @returns {World} the real one */
export function realWorld() {
  return {
    socket: (url) => new WebSocket(url),
    now: () => performance.now(),
    later: (run, ms) => setTimeout(run, ms),
    cancel: (timer) => clearTimeout(timer),
    random: Math.random,
  };
}

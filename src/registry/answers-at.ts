import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** Milliseconds. */
const PAUSE = 50
const PATIENCE = 10_000

/**
 * Waits until something accepts connections at an address of this machine, 10 seconds at most. Aborted, it ends as well: the
 * caller asks the signal.
 */
export async function answersAt(address: { host: string; port: number }, signal: AbortSignal): Promise<void> {
  for (const end = performance.now() + PATIENCE; !signal.aborted && performance.now() < end; ) {
    if (await accepts(address, signal)) return
    // An abort is no failure here.
    await sleep(PAUSE, undefined, { signal, ref: false }).catch(() => undefined)
  }
}

async function accepts(address: { host: string; port: number }, signal: AbortSignal): Promise<boolean> {
  const socket = connect(address)
  try {
    await once(socket, 'connect', { signal })
    return true
  } catch {
    // Whatever the reason, nobody is there yet.
    return false
  } finally {
    socket.on('error', () => undefined).destroy()
  }
}

import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** Milliseconds. */
const PAUSE = 50
const PATIENCE = 10_000

/** Waits until a server accepts connections at an address of this machine, for 10 seconds at most or until `signal` is aborted. */
export async function answersAt(address: { host: string; port: number }, signal: AbortSignal): Promise<void> {
  for (const end = performance.now() + PATIENCE; !signal.aborted && performance.now() < end; ) {
    if (await accepts(address, signal)) return
    // It fails only when it is aborted, which ends the loop.
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

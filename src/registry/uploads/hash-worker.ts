/** What the thread of `hash-thread.ts` runs: it loads nothing of the registry. */
import { createHash, type Hash } from 'node:crypto'
import { parentPort } from 'node:worker_threads'

/** `id` is that of a running hash. */
export type ToHashWorker =
  | { kind: 'update'; id: number; algorithm: 'sha256' | 'sha512'; memory: SharedArrayBuffer; length: number }
  | { kind: 'digest'; id: number }
  | { kind: 'drop'; id: number }
/** Each update and each digest is answered, in their order. */
export type FromHashWorker = { id: number; hex?: string }

const hashes = new Map<number, Hash>()
const port = parentPort!

port.on('message', (message: ToHashWorker) => {
  const { id } = message
  if (message.kind === 'drop') return void hashes.delete(id)
  if (message.kind === 'digest') return port.postMessage({ id, hex: hashes.get(id)?.copy().digest('hex') })
  const hash = hashes.get(id) ?? createHash(message.algorithm)
  hashes.set(id, hash)
  hash.update(new Uint8Array(message.memory, 0, message.length))
  port.postMessage({ id })
})

/**
 * A child process for crash tests: takes one image into a store and kills itself (SIGKILL) right before its n-th durable
 * step (rename, link, unlink, mkdir, fsync, COMMIT). Arguments: root, run, n, what the image is made of (seed). Prints
 * `done` when there were fewer steps.
 */
import { createRequire, syncBuiltinESMExports } from 'node:module'
import { DatabaseSync } from 'node:sqlite'

const [root, run, limit, seed] = process.argv.slice(2) as [string, string, string, string]
let steps = 0
function step(): void {
  if (++steps === Number(limit)) process.kill(process.pid, 'SIGKILL')
}

const promises = createRequire(import.meta.url)('node:fs/promises') as Record<string, unknown>
for (const name of ['rename', 'link', 'unlink', 'mkdir', 'rmdir']) {
  const original = promises[name] as (...values: unknown[]) => unknown
  promises[name] = (...values: unknown[]) => {
    step()
    return original(...values)
  }
}
syncBuiltinESMExports()
const handle = await (promises['open'] as (path: string) => Promise<{ close(): Promise<void> }>)('/dev/null')
const prototype = Object.getPrototypeOf(handle) as { sync: () => Promise<void> }
await handle.close()
const sync = prototype.sync
prototype.sync = function (this: unknown) {
  step()
  return sync.call(this)
}
const exec = DatabaseSync.prototype.exec
DatabaseSync.prototype.exec = function (sql: string) {
  if (sql === 'COMMIT') step()
  return exec.call(this, sql)
}

const { openStore } = await import('#store')
const { putImage, randomImage } = await import('#image')
const { tarLayerFormats } = await import('./tar-layer-formats.ts')
const store = await openStore({ root, run, layerFormats: tarLayerFormats })
const operation = store.operation({ purpose: 'test' })
await putImage(operation, await randomImage({ seed: Number(seed), layers: 1 }), 'docker.io/library/x:latest')
await operation[Symbol.asyncDispose]()
await store[Symbol.asyncDispose]()
console.log('done', steps)

/**
 * A registry under load, beside Debian's docker-registry in one run: `npm run bench:registry [-- --rounds 3] [-- --seconds 4]`.
 * The peer is served without a login, which is the fastest that it can be; bale without one, with Basic and with Bearer. Answers
 * count only when they are 2xx. Server and load share the processors of this machine.
 */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { startPeerRegistry } from './peer-registry.ts'
import {
  agent,
  BASIC,
  createResults,
  digestOf,
  MEBIBYTE,
  pushBlob,
  pushImage,
  send,
  startBale,
  type Target,
  tokenOf,
  wrk,
} from './registry-load.ts'
import { median } from './timed.ts'

const { values: flags } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '4' },
    only: { type: 'string' },
  },
})
const [rounds, seconds] = [Number(flags.rounds), Number(flags.seconds)]
const directory = mkdtempSync('/var/tmp/bale-bench-')
const results = createResults()
try {
  await using peer = await startPeerRegistry(directory)
  await using open = await startBale(directory, join(directory, 'open'), ['--anonymous-pull'])
  const host = open.host
  const dockerRegistry: Target = { name: 'docker-registry', host: peer.host, headers: {} }
  const withBasic: Target = { name: 'bale, Basic', host, headers: { authorization: BASIC } }
  const targets = [
    dockerRegistry,
    { name: 'bale, no login', host, headers: {} },
    withBasic,
    { name: 'bale, Bearer', host, headers: { authorization: `Bearer ${await tokenOf(host)}` } },
  ]
  const writers = [dockerRegistry, withBasic]
  const content = randomBytes(10 * MEBIBYTE)
  const config = Buffer.from('{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}')
  for (const target of writers) await pushImage(target, 'bench/image', config, content)
  const blob = `/v2/bench/image/blobs/${digestOf(content)}`
  for (let round = 0; round < rounds; round++) {
    for (const target of targets) {
      await gets('manifest GET by tag', target, '/v2/bench/image/manifests/latest', 16)
      await gets('blob GET of 10 MB', target, blob, 8)
    }
    // By a client in this process, which is slower than wrk: that knows no HEAD.
    for (const target of targets) {
      await rate('blob HEAD', target, 16, async () => void (await send(target, 'HEAD', blob)))
    }
    for (const target of writers) {
      await rate('pushes of a blob of 10 MB', target, 4, async (number) => {
        await pushBlob(target, `bench/push${number % 8}`, stamped(content, number, round))
      })
      await rate('images of two small blobs', target, 16, async (number) => {
        const small = stamped(randomBytes(20_000), number, round)
        await pushImage(target, `bench/storm${number % 8}`, stamped(config, number, round), small)
      })
    }
  }
  console.log(results.table(targets.map(({ name }) => name)))
  console.log(`\npeak memory of bale: ${Math.round(open.peak())} MB`)
  if (!flags.only || 'start'.includes(flags.only)) console.log(await startAndIdle(join(directory, 'idle')))
} finally {
  agent.destroy()
  rmSync(directory, { recursive: true, force: true })
}

async function gets(what: string, target: Target, path: string, clients: number): Promise<void> {
  if (flags.only && !what.includes(flags.only)) return
  const { rate, p99 } = await wrk(target, path, { clients, seconds })
  results.add(what, target.name, rate)
  if (clients === 16) results.add(`${what}, p99 in ms`, target.name, p99)
}

/** How often a second the work is done by so many clients. */
async function rate(
  what: string,
  target: Target,
  clients: number,
  work: (number: number) => Promise<void>,
): Promise<void> {
  if (flags.only && !what.includes(flags.only)) return
  const began = performance.now()
  let done = 0
  let next = 0
  const client = async () => {
    while (performance.now() - began < seconds * 1000) {
      await work(next++)
      done++
    }
  }
  await Promise.all(Array.from({ length: clients }, client))
  results.add(what, target.name, (done * 1000) / (performance.now() - began))
}

/** The same bytes but for some at the start, so that every blob is another one. */
function stamped(bytes: Buffer, number: number, round: number): Buffer {
  const copy = Buffer.from(bytes)
  copy.write(`${' '.repeat(8)}${round}.${number}`.slice(-8), copy.length - 8)
  return copy
}

/** How long `bale registry serve` takes until it says so, on a registry that is there, and its memory some seconds later. */
async function startAndIdle(root: string): Promise<string> {
  const [starts, sizes]: [number[], number[]] = [[], []]
  for (let turn = 0; turn <= 5; turn++) {
    const began = performance.now()
    await using served = await startBale(directory, root, ['--anonymous-pull'], { adds: turn === 0 })
    starts.push(performance.now() - began)
    await fetch(`http://${served.host}/v2/`)
    await sleep(3000)
    sizes.push(served.resident())
  }
  // The first one makes the database, and a user by another process.
  const [start, size] = [median(starts.slice(1)), median(sizes.slice(1))]
  return `\nstart of bale registry serve: ${start.toFixed(0)} ms; idle: ${size.toFixed(0)} MB`
}

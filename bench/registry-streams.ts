/**
 * One large blob at a time, to and from bale and Debian's docker-registry, and what memory bale needs while ten gigabytes go
 * through: `npm run bench:registry-streams [-- --gigabytes 2] [-- --rounds 3]`. The client is curl, which costs little.
 */
import { createHash, randomBytes } from 'node:crypto'
import { createReadStream, mkdtempSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { parseArgs } from 'node:util'
import { execute } from '../test/kit/bale.ts'
import { startPeerRegistry } from './peer-registry.ts'
import { agent, BASIC, createResults, MEBIBYTE, send, startBale, type Target } from './registry-load.ts'

const { values: flags } = parseArgs({
  options: { rounds: { type: 'string', default: '3' }, gigabytes: { type: 'string', default: '2' } },
})
const rounds = Number(flags.rounds)
const megabytes = Number(flags.gigabytes) * 1000

const directory = mkdtempSync('/var/tmp/bale-bench-')
const results = createResults()
try {
  await using peer = await startPeerRegistry(directory)
  await using bale = await startBale(directory, join(directory, 'bale'), [])
  const file = join(directory, 'blob')
  const digest = await writeBlob(file)
  const servers: Target[] = [
    { name: 'docker-registry', host: peer.host, headers: {} },
    { name: 'bale, Basic', host: bale.host, headers: { authorization: BASIC } },
  ]
  // The first of each finds nothing in the cache, and grows what it will need.
  for (const server of servers) await there(server, 'bench/first', file, digest)
  const [before, needed] = [bale.resident(), bale.peak()]
  for (let round = 0; round < rounds; round++) {
    for (const server of servers) {
      results.add('push, MB/s', server.name, megabytes / (await there(server, `bench/round${round}`, file, digest)))
      results.add('pull, MB/s', server.name, megabytes / (await back(server, `bench/round${round}`, digest)))
    }
  }
  console.log(results.table(servers.map(({ name }) => name)))
  const most = bale.peak()
  const whole = (megabytes * 2 * rounds) / 1000
  console.log(
    `\nmemory of bale: ${before.toFixed(0)} MB after the first push, whose peak was ${needed.toFixed(0)} MB; ` +
      `at most ${most.toFixed(0)} MB while another ${whole} GB went through`,
  )
} finally {
  agent.destroy()
  rmSync(directory, { recursive: true, force: true })
}

/** Random bytes in a file; their digest. */
async function writeBlob(file: string): Promise<string> {
  const block = randomBytes(MEBIBYTE)
  await using handle = await open(file, 'w')
  for (let at = 0; at < megabytes * 1e6; at += block.length) {
    block.writeDoubleLE(at)
    await handle.write(block.subarray(0, Math.min(block.length, megabytes * 1e6 - at)))
  }
  const hash = createHash('sha256')
  await pipeline(createReadStream(file, { highWaterMark: MEBIBYTE }), hash)
  return `sha256:${hash.digest('hex')}`
}

/** Seconds that the PUT of the file took. */
async function there(server: Target, repository: string, file: string, digest: string): Promise<number> {
  const { location } = await send(server, 'POST', `/v2/${repository}/blobs/uploads/`)
  const url = new URL(String(location), `http://${server.host}`)
  url.searchParams.set('digest', digest)
  return curl(server, 201, ['-H', 'Content-Type: application/octet-stream', '-H', 'Expect:', '-T', file, url.href])
}

/** Seconds that the GET took. */
function back(server: Target, repository: string, digest: string): Promise<number> {
  return curl(server, 200, ['-o', '/dev/null', `http://${server.host}/v2/${repository}/blobs/${digest}`])
}

async function curl(server: Target, expected: number, args: string[]): Promise<number> {
  const headers = Object.entries(server.headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`])
  const told = ['-sS', '-w', '\\n%{http_code} %{time_total}']
  const outcome = await execute('/usr/bin/curl', [...told, ...headers, ...args], { timeout: 600_000 })
  const [code, seconds] = outcome.stdout.split('\n').at(-1)!.split(' ').map(Number)
  if (outcome.code !== 0 || code !== expected) throw new Error(`${server.name}: ${outcome.stderr}${outcome.stdout}`)
  return seconds!
}

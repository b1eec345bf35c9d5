/**
 * What a registry answers by one process, by workers, and by replicas on PostgreSQL and a bucket:
 * `npm run bench:registry-replicas [-- --rounds 3] [-- --seconds 4]`. Database, store (Ceph) and load share this machine's
 * processors with the registry, so figures say what the parts cost more than what many machines would do.
 */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startCeph, withoutCeph } from '../test/kit/ceph.ts'
import { startPostgres, withoutPostgres } from '../test/kit/postgres.ts'
import { replicasOn } from '../test/kit/replica.ts'
import {
  addRoot,
  agent,
  BASIC,
  createResults,
  digestOf,
  MEBIBYTE,
  pushImage,
  startBale,
  type Target,
  tokenOf,
  wrk,
} from './registry-load.ts'

const { values: flags } = parseArgs({
  options: { rounds: { type: 'string', default: '3' }, seconds: { type: 'string', default: '4' } },
})
const [rounds, seconds] = [Number(flags.rounds), Number(flags.seconds)]
const missing = withoutPostgres() || withoutCeph()
if (missing) throw new Error(missing)

/** One registry, by all the addresses that it has. */
interface Measured {
  name: string
  hosts: readonly string[]
}

const directory = mkdtempSync('/var/tmp/bale-bench-')
const results = createResults()
try {
  await using started = new AsyncDisposableStack()
  const embedded = started.use(await startBale(directory, join(directory, 'one'), ['--anonymous-pull']))
  const worked = started.use(
    await startBale(directory, join(directory, 'workers'), ['--anonymous-pull', '--workers', '2']),
  )
  const postgres = started.use(await startPostgres())
  const ceph = started.use(await startCeph())
  const replicas = started.use(await replicasOn({ postgres, ceph }))
  const both = [
    await replicas.replica({ more: { anonymous: 'pull' } }),
    await replicas.replica({ more: { anonymous: 'pull' } }),
  ]
  for (const one of both) await one.start()
  await addRoot(directory, ['--config', both[0]!.config])
  const measured: Measured[] = [
    { name: 'one process', hosts: [embedded.host] },
    { name: '2 workers', hosts: [worked.host] },
    { name: 'one replica', hosts: [both[0]!.address] },
    { name: '2 replicas', hosts: both.map(({ address }) => address) },
  ]
  const content = randomBytes(10 * MEBIBYTE)
  const config = Buffer.from('{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}')
  for (const { name, hosts } of measured.slice(0, 3)) {
    await pushImage({ name, host: hosts[0]!, headers: { authorization: BASIC } }, 'bench/image', config, content)
  }
  const blob = `/v2/bench/image/blobs/${digestOf(content)}`
  for (let round = 0; round < rounds; round++) {
    for (const one of measured) {
      const headers = { authorization: `Bearer ${await tokenOf(one.hosts[0]!)}` }
      await gets('manifest GET by tag, no login', one, '/v2/bench/image/manifests/latest', 16, {})
      await gets('manifest GET by tag, Bearer', one, '/v2/bench/image/manifests/latest', 16, headers)
      await gets('blob GET of 10 MB', one, blob, 8, headers)
    }
  }
  console.log(results.table(measured.map(({ name }) => name)))
} finally {
  agent.destroy()
  rmSync(directory, { recursive: true, force: true })
}

/** The clients are shared out to the addresses, as a balancer does. */
async function gets(
  what: string,
  { name, hosts }: Measured,
  path: string,
  clients: number,
  headers: Target['headers'],
): Promise<void> {
  const loads = await Promise.all(
    hosts.map((host) => wrk({ name, host, headers }, path, { clients: clients / hosts.length, seconds })),
  )
  results.add(
    what,
    name,
    loads.reduce((sum, { rate }) => sum + rate, 0),
  )
}

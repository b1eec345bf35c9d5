/**
 * What a gate costs those who pull: GETs of a manifest with and without one, in turn, of an embedded registry and of a replica on
 * PostgreSQL: `npm run bench:registry-gate [-- --rounds 5] [-- --seconds 4]`. The image was scanned and passes. The bar is 5 %.
 */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { openPostgresMeta, openSqliteMeta } from '#registry'
import { startCeph, withoutCeph } from '../test/kit/ceph.ts'
import { startPostgres, withoutPostgres } from '../test/kit/postgres.ts'
import { replicasOn } from '../test/kit/replica.ts'
import { endScans } from '../test/kit/stored-scans.ts'
import { addRoot, agent, BASIC, createResults, pushImage, send, startBale, tokenOf, wrk } from './registry-load.ts'

const { values: flags } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, seconds: { type: 'string', default: '4' } },
})
const [rounds, seconds] = [Number(flags.rounds), Number(flags.seconds)]
const missing = withoutPostgres() || withoutCeph()
if (missing) throw new Error(missing)

const directory = mkdtempSync('/var/tmp/bale-bench-')
const results = createResults()
try {
  await using started = new AsyncDisposableStack()
  const root = join(directory, 'one')
  const embedded = started.use(await startBale(directory, root, ['--anonymous-pull']))
  const postgres = started.use(await startPostgres())
  const ceph = started.use(await startCeph())
  // The kit makes the database by itself: the metadata is opened by the same address.
  let url = ''
  const database = async () => (url = await postgres.database())
  const replicas = started.use(await replicasOn({ postgres: { database }, ceph }))
  const replica = await replicas.replica({ more: { anonymous: 'pull' } })
  await replica.start()
  await addRoot(directory, ['--config', replica.config])
  const measured = [
    { name: 'embedded', host: embedded.host, meta: openSqliteMeta({ path: join(root, 'registry.db') }) },
    { name: 'replica', host: replica.address, meta: await openPostgresMeta({ url }) },
  ]
  for (const { name, host, meta } of measured) {
    started.defer(() => meta.close())
    const config = Buffer.from('{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}')
    const target = { name, host, headers: { authorization: BASIC } }
    await pushImage(target, 'bench/image', config, randomBytes(20_000))
    const digest = (await send(target, 'HEAD', '/v2/bench/image/manifests/latest'))['docker-content-digest']
    await endScans(meta, [String(digest)])
  }
  for (let round = 0; round < rounds; round++) {
    for (const { name, host, meta } of measured) {
      const headers = { authorization: `Bearer ${await tokenOf(host)}` }
      const gets = async (how: string) => {
        for (const [login, sent] of [
          ['no login', {}],
          ['Bearer', headers],
        ] as const) {
          const { rate } = await wrk({ name, host, headers: sent }, '/v2/bench/image/manifests/latest', {
            clients: 16,
            seconds,
          })
          results.add(`${name}, ${login}`, how, rate)
        }
      }
      const gate = () => meta.addPolicy({ kind: 'gate', pattern: 'bench/**', severity: 'high', notCovered: 'block' })
      // Whichever comes first would be the one with colder caches.
      if (round % 2 === 0) await gets('no gate')
      const id = await gate()
      await gets('gate')
      await meta.removePolicy(id)
      if (round % 2 === 1) await gets('no gate')
    }
  }
  console.log(results.table(['no gate', 'gate']))
} finally {
  agent.destroy()
  rmSync(directory, { recursive: true, force: true })
}

import assert from 'node:assert/strict'
import { digestOf } from '#blob'
import { blob, type Check, DAY, image, keyOf as keyNumber, manifest, NOW, push, scanOf } from './kit-contract.ts'
import type { MetaStore } from './meta-store.ts'
import { keyOf, type TransferRow } from './transfer.ts'
import { MOVED } from './transfer-tables.ts'

const table = (name: string) => MOVED.find((one) => one.name === name)!

async function rowsOf(meta: MetaStore, name: string, limit = 2): Promise<TransferRow[]> {
  const rows: TransferRow[] = []
  for (let after: TransferRow | undefined; ; after = rows.at(-1)) {
    const page = await meta.readRows(table(name), { ...(after && { after }), limit })
    rows.push(...page)
    if (page.length === 0) return rows
  }
}

/** One image of which all is known, and a new one. */
async function storeScan(meta: MetaStore): Promise<void> {
  const known = image('known')
  await meta.putManifest('a/b', known)
  const taken = (await meta.takeScan({ lease: DAY, analyser: '1' }))!
  await meta.endScan(taken, { outcome: 'scanned', analyser: '1', inventory: Buffer.from('inventory') })
  const [due] = await meta.listUnmatched('v1', { limit: 1 })
  await meta.putResults([{ ...due!, advisories: 'v1', bytes: Buffer.from('result') }])
  await meta.noteFindings(['CVE-2024-1 deb/openssl'])
  await meta.addException({ vulnerability: 'CVE-2024-1', pattern: '**', reason: 'r', lasts: DAY })
  await meta.setImageState('a/b', known.digest, { kind: 'released', reason: 'r' })
  await meta.tellRelease('a/b', known.digest, { outcome: 'blocked', detail: 'd' })
  await meta.putManifest('a/b', image('new'))
}

/** What a move needs of both databases. */
export function transferContract(check: Check): void {
  check(
    'rows are read in pages by their keys, without what is large, and are the same when they were removed and put again',
    async ({ meta, other }) => {
      for (const name of ['c/d', 'a/b', 'B/x']) {
        for (const content of ['one', 'two', 'three']) {
          await push(meta, name, content)
          await meta.putManifest(
            name,
            manifest({ content: `${name} ${content}`, tags: [content, 'Z', 'ä'], blobs: [blob(content)] }),
          )
        }
      }
      await meta.addAccount({ kind: 'user', name: 'ann', passwordHash: 'h', admin: true })
      await storeScan(meta)
      await meta.addHook({ id: 'h', name: 'ci', url: 'u', pattern: '**', events: ['*'], secret: 's' })
      await meta.setQuota({ scope: 'a/**', bytes: 1000 })
      await meta.renameRepository('c/d', 'c/e', { redirect: DAY })
      await meta.foldUsage()
      const used = await meta.usage('**')
      const before = new Map<string, TransferRow[]>()
      for (const { name } of MOVED) before.set(name, await rowsOf(meta, name))
      assert.equal(before.get('manifests')!.length, 11)
      assert.equal('body' in before.get('manifests')![0]!, false)
      const tags = before.get('tags')!.map((row) => `${row['repo_id']} ${row['name']}`)
      assert.equal(new Set(tags).size, 15)
      const whole = new Map<string, TransferRow[]>()
      for (const moved of MOVED.filter(({ large }) => large !== undefined)) {
        const rows = before.get(moved.name)!.map((row) => meta.readRow(moved, row))
        whole.set(moved.name, (await Promise.all(rows)) as TransferRow[])
      }
      await other.clearRows()
      assert.equal(await other.findManifest('a/b', { tag: 'Z' }), undefined)
      assert.deepEqual(await other.usage('**'), { bytes: 0, tags: 0, repositories: 0 })
      for (const { name } of MOVED) {
        await other.putRows(table(name), whole.get(name) ?? before.get(name)!)
      }
      for (const { name } of MOVED) assert.deepEqual(await rowsOf(meta, name), before.get(name), name)
      assert.deepEqual(await other.usage('**'), used, 'it was counted as the rows came')
      assert.deepEqual(await other.recountUsage(), [])
      assert.equal(await other.findRedirect('c/d'), 'c/e')
      assert.equal((await scanOf(other, 'a/b', digestOf('known')))?.state, 'scanned', 'not as it was queued')
      const facts = (await other.releaseFacts('a/b', digestOf('known')))!
      const { result } = facts.scan!
      assert.deepEqual(
        [facts.state?.kind, facts.exceptions.length, Buffer.from(result!.bytes).toString()],
        ['released', 1, 'result'],
      )
      assert.equal(Buffer.from((await other.findInventory(digestOf('known')))!).toString(), 'inventory')
      assert.equal((await scanOf(other, 'a/b', digestOf('new')))?.state, 'waiting')
      assert.equal((await other.knownFor(['CVE-2024-1 deb/openssl'])).size, 1)
      assert.equal(Buffer.from((await meta.findManifest('a/b', { tag: 'Z' }))!.bytes).toString(), 'a/b three')
    },
  )

  check(
    'rows that are put again change, rows that are removed go, and what is new has an ID of its own',
    async ({ meta, other }) => {
      assert.equal(await meta.isEmpty(), true)
      await push(meta, 'a/b', 'one')
      assert.equal(await meta.isEmpty(), false)
      const [row] = await rowsOf(meta, 'repositories')
      await meta.putRows(table('repositories'), [
        { ...row!, name: 'c/d' },
        { ...row!, id: '77', name: 'e/f' },
      ])
      assert.deepEqual(await other.listRepositories({ limit: 9 }), ['c/d', 'e/f'])
      await meta.endTransfer(DAY)
      await push(other, 'g/h', 'two')
      const ids = (await rowsOf(meta, 'repositories')).map((one) => Number(one['id']))
      assert.deepEqual(ids, [Number(row!['id']), 77, 78])
      await meta.removeRows(table('repositories'), [{ ...row!, id: '77' }])
      assert.deepEqual(await other.listRepositories({ limit: 9 }), ['c/d', 'g/h'])
      assert.deepEqual(keyOf(table('tags')), ['repo_id', 'name'])
    },
  )

  check(
    'an object on its way is deleted later unless a blob gets it; a blob that is dropped leaves its object to be deleted',
    async ({ meta, other, setTime }) => {
      const [key, last] = [keyNumber(9001), keyNumber(9002)]
      assert.equal(await meta.noteObject({ key }, 1000), undefined)
      assert.deepEqual(await other.noteObject({ key, state: 'half' }, 1000), { key, state: undefined })
      assert.deepEqual(await other.noteObject({ key, state: 'more' }, 1000), { key, state: 'half' })
      await setTime(NOW + 1001)
      assert.deepEqual(await meta.dueObjects(9), [{ key, state: 'more' }])
      const row = { id: '5', size: '3', state: 'active', storage_key: key, created_at: '1', lost: '0' }
      await meta.putBlob({ id: 5, digest: digestOf('one'), row, key: last, noted: key })
      assert.deepEqual(await meta.dueObjects(9), [])
      assert.deepEqual(await other.listBlobs({ after: 0, limit: 9 }), [
        { id: 5, size: 3, key: last, digest: digestOf('one'), lost: false },
      ])
      await other.dropBlob(5)
      assert.deepEqual(await meta.listBlobs({ after: 0, limit: 9 }), [])
      assert.deepEqual(await meta.dueObjects(9), [{ key: last, state: undefined }])
    },
  )
}

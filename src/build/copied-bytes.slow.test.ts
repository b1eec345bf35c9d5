/** The tar that COPY makes of a context: the layers of one context have one digest, with this program and with earlier ones. */
import assert from 'node:assert/strict'
import { chmodSync, linkSync, lutimesSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { buildKit, cannotRunContainers } from '../../test/kit/build-kit.ts'

const MEBIBYTE = 1 << 20
const LONG = 'a-name-of-fifty-bytes-which-a-header-alone-takes-on'
const TIME = 1_600_000_000

const FILES: Record<string, number> = {
  'files/empty': 0,
  'files/one': 1,
  'files/block': 512,
  'files/page': 4096,
  'files/larger than a read': 300_000,
  'files/ends-a-piece': MEBIBYTE - 512,
  'files/longer than pieces': 3 * MEBIBYTE + 7,
  'files/täst/ünicode': 100,
  [`files/${LONG}/${LONG}/${LONG}`]: 10,
}

test('the layer of a context has the digest that it always had', { skip: cannotRunContainers() }, async () => {
  await using kit = await buildKit()
  const context = await kit.context({})
  const times: [string, number][] = []
  for (const [name, size] of Object.entries(FILES)) {
    const path = join(context, name)
    mkdirSync(join(path, '..'), { recursive: true })
    writeFileSync(
      path,
      Uint8Array.from({ length: size }, (_, index) => index % 251),
    )
    chmodSync(path, 0o640)
    times.push([path, TIME + size / 8])
  }
  linkSync(join(context, 'files/page'), join(context, 'files/zlink'))
  symlinkSync('page', join(context, 'files/symlink'))
  lutimesSync(join(context, 'files/symlink'), TIME, TIME)
  for (const [path, time] of times) utimesSync(path, time, time)
  for (const directory of [`files/${LONG}/${LONG}`, `files/${LONG}`, 'files/täst']) {
    chmodSync(join(context, directory), 0o755)
    utimesSync(join(context, directory), TIME + 0.5, TIME + 0.5)
  }
  const { image } = await kit.build('FROM scratch\nCOPY files /', { context })
  assert.deepEqual(image.config.rootfs.diff_ids, [
    'sha256:4de7cdb5ba94e2d1eb19ae8c9a86a55795c0bdad32dfa329968f283ccda15fd5',
  ])
})

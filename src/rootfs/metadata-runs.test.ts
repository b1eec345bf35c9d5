import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { noLog } from '#base'
import { packTar } from '#format/tar'
import { readAhead, temporaryDirectory } from '#host/file'
import { dropFromPageCache } from '../../test/kit/page-cache.ts'
import { until } from '../../test/kit/until.ts'
import { layerFormat } from './erofs-format.ts'
import { IMAGE_NAME, METADATA_NAME } from './layer-files.ts'
import { metadataReader } from './metadata-runs.ts'

async function* layer() {
  const large = randomBytes(2 << 20)
  yield* packTar(
    Array.from({ length: 20 }, (_, index) => [
      { entry: { name: `small${index}`, type: 'file' as const, size: 3 }, data: Buffer.from('abc') },
      { entry: { name: `large${index}`, type: 'file' as const, size: large.length }, data: large },
    ]).flat(),
  )
}

/** The end of the image, where its directories are, is what is looked at. */
const isWarm = async (image: string) => (await readAhead(image, () => [])) === 'warm'

test('the metadata of a cold layer is read, and a layer without its list is no error', async (context) => {
  await using directory = await temporaryDirectory(tmpdir(), 'bale-runs-')
  await layerFormat.write(directory.path, layer())
  const image = join(directory.path, IMAGE_NAME)
  const forget = () => dropFromPageCache(image)
  forget()
  if (await isWarm(image)) return context.skip('the file system keeps the pages')
  if ((await readAhead(image, () => [{ offset: 0, length: 1 }])) === 'unable')
    return context.skip('the kernel has no process_madvise')
  forget()
  const reader = metadataReader(noLog)
  reader.readAhead([image])
  await until('the metadata is read', () => isWarm(image))
  // The next step of a build does not look again.
  forget()
  reader.readAhead([image])
  await sleep(100)
  assert.equal(await isWarm(image), false)
  const said: string[] = []
  const log = { ...noLog, debug: (_room: string, text: string) => void said.push(text) }
  for (const damage of [
    () => rmSync(join(directory.path, METADATA_NAME)),
    () => writeFileSync(join(directory.path, METADATA_NAME), randomBytes(100)),
    () => writeFileSync(join(directory.path, METADATA_NAME), ''),
  ]) {
    damage()
    forget()
    metadataReader(log).readAhead([image])
    await sleep(50)
  }
  assert.deepEqual(said, [])
})

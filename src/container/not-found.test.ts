import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tarLayerFormats } from '../../test/kit/tar-layer-formats.ts'
import { temporaryDirectory } from '../../test/kit/temporary.ts'
import { openStore } from '../store/index.ts'
import { findNetwork } from './network/network.ts'
import { openRecords } from './records/index.ts'
import type { Machinery } from './state/machinery.ts'
import { findVolume, removeVolume } from './volume/volumes.ts'

test('volumes and networks that are not there are named, with the verb that lists them', async () => {
  await using directory = await temporaryDirectory('bale-none')
  const [root, run] = [`${directory.path}/root`, `${directory.path}/run`]
  await using store = await openStore({ root, run, layerFormats: tarLayerFormats })
  const records = openRecords(store)
  const machinery = { store, records } as Machinery
  const volume = { code: 'VOLUME_NOT_FOUND', next: { act: 'list-volumes' } }
  await assert.rejects(findVolume(machinery, 'none'), volume)
  await assert.rejects(removeVolume(machinery, 'none'), volume)
  await removeVolume(machinery, 'none', { force: true })
  await assert.rejects(findNetwork(records, 'none'), { code: 'NETWORK_NOT_FOUND', next: { act: 'list-networks' } })
  await assert.rejects(findNetwork(records, '\u001b[2J'), { message: 'network \\x1b[2J not found' })
})

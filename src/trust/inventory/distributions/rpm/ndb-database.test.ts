import assert from 'node:assert/strict'
import { test } from 'node:test'
import { analyse, databaseContract, encodeHeader, FACTS, reasons } from './contract.ts'

const PATH = 'usr/lib/sysimage/rpm/Packages.db'

databaseContract({ what: 'ndb', path: PATH, make: makeNdb })

test('slots with the same place are not read again and again', async () => {
  const bytes = makeNdb([encodeHeader({ name: 'large', version: '1', release: '1', license: 'x'.repeat(40_000) })])
  for (let at = 48; at < 4096; at += 16) bytes.copy(bytes, at, 32, 48)
  const found = await analyse(PATH, bytes)
  assert.ok(found.packages!.length < 3)
  assert.deepEqual(reasons(found), ['a part of the rpm database is used twice'])
})

test('a damaged slot, and one that leads to another package, are gaps, and the others are read', async () => {
  const bytes = makeNdb(FACTS.map(encodeHeader))
  bytes.write('slot', 32, 'latin1')
  bytes.writeUInt32LE(99, 48 + 4)
  const found = await analyse(PATH, bytes)
  assert.deepEqual(
    found.packages?.map(({ name }) => name),
    ['nodejs'],
  )
  assert.deepEqual(reasons(found), ['a slot of the rpm database is damaged', 'the header of a package is damaged'])
})

test('after ten thousand damaged parts no more are read, and what was found counts', async () => {
  const bytes = makeNdb([...FACTS.map(encodeHeader), ...Array.from({ length: 20_000 }, () => Buffer.alloc(0))])
  for (let at = 32 + FACTS.length * 16; bytes.toString('latin1', at, at + 4) === 'Slot'; at += 16) bytes[at] = 0
  const found = await analyse(PATH, bytes)
  assert.deepEqual(found.packages?.length, 3)
  assert.deepEqual(reasons(found), [
    'a slot of the rpm database is damaged (10000 times)',
    'more than 10000 parts of the rpm database are damaged; no more are read',
  ])
})

/** Slots in whole pages of 4096 bytes, the first two being the head; then what they lead to. */
function makeNdb(headers: readonly Buffer[]): Buffer {
  const pages = Math.ceil((headers.length + 2) / 256)
  const slots = Buffer.alloc(pages * 4096)
  for (let at = 32; at < slots.length; at += 16) slots.write('Slot', at, 'latin1')
  slots.write('RpmP', 0, 'latin1')
  slots.writeUInt32LE(pages, 12)
  let position = slots.length / 16
  const blobs = headers.map((header, index) => {
    const number = index + 1
    const blocks = Math.ceil((16 + header.length + 12) / 16)
    const slot = 32 + index * 16
    for (const [field, value] of [number, position, blocks].entries()) slots.writeUInt32LE(value, slot + 4 + field * 4)
    position += blocks
    const blob = Buffer.alloc(blocks * 16)
    blob.write('BlbS', 0, 'latin1')
    blob.writeUInt32LE(number, 4)
    blob.writeUInt32LE(header.length, 12)
    header.copy(blob, 16)
    // The checksum is left out: it is not looked at.
    blob.writeUInt32LE(header.length, blob.length - 8)
    blob.write('BlbE', blob.length - 4, 'latin1')
    return blob
  })
  return Buffer.concat([slots, ...blobs])
}

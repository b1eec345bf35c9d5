import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BaleError } from '#base'
import type { Terminal } from '../terminal/terminal.ts'
import { firstFound, printInspected } from './inspected.ts'

const things: Record<string, object> = { web: { Id: '1', Name: '/web', Labels: null }, shop: { Id: '2' } }

async function find(name: string): Promise<object> {
  const thing = things[name]
  if (!thing) throw new BaleError('CONTAINER_NOT_FOUND', `No such container: ${name}`)
  return thing
}

async function inspected(names: string[], format?: string) {
  const out: string[] = []
  const complaints: string[] = []
  const io = { print: async (line: string) => void out.push(line), warn: (line: string) => void complaints.push(line) }
  const code = await printInspected(io as unknown as Terminal, names, find, format)
  return { code, out: out.join('\n'), complaints }
}

test('objects that exist are printed, then missing ones are reported, and the exit code is 1', async () => {
  assert.deepEqual(await inspected(['none', 'shop', 'nix'], '{{.Id}}'), {
    code: 1,
    out: '2',
    complaints: ['Error: No such container: none', 'Error: No such container: nix'],
  })
  assert.deepEqual(await inspected(['none']), { code: 1, out: '[]', complaints: ['Error: No such container: none'] })
  assert.equal((await inspected(['none', 'shop'], 'json')).out, '[{"Id":"2"}]')
  assert.deepEqual(await inspected(['none'], '{{.Id}}'), {
    code: 1,
    out: '',
    complaints: ['Error: No such container: none'],
  })
})

test('an object that does not fit the template keeps nothing back of the others; failures stand in the order of the names', async () => {
  const { code, out, complaints } = await inspected(['shop', 'none', 'web'], '{{.Name}}')
  assert.equal(code, 1)
  assert.equal(out, '/web')
  assert.deepEqual(complaints, [
    'template parsing error: template: :1:2: executing "" at <.Name>: map has no entry for key "Name"',
    'Error: No such container: none',
  ])
})

test('a template that cannot be read is 64, and nothing is looked up', async () => {
  const { code, out } = await inspected(['web'], '{{.Name')
  assert.equal(code, 64)
  assert.equal(out, '')
})

test('the first kind that has the name counts; a failure of another kind is not hidden', async () => {
  const missing = () => Promise.reject(new BaleError('IMAGE_NOT_FOUND', 'no'))
  const broken = () => Promise.reject(new BaleError('STORE_DAMAGED', 'broken'))
  assert.deepEqual(await firstFound('web', [missing, find, broken], ['IMAGE_NOT_FOUND']), things['web'])
  await assert.rejects(firstFound('web', [missing], ['IMAGE_NOT_FOUND']), /No such object: web/)
  await assert.rejects(firstFound('web', [broken, find], ['IMAGE_NOT_FOUND']), { code: 'STORE_DAMAGED' })
})

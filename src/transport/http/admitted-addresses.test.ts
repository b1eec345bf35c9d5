import assert from 'node:assert/strict'
import type { LookupFunction } from 'node:net'
import { test } from 'node:test'
import { hookReceiver } from '../../../test/kit/hook-receiver.ts'
import { createHttpClient } from './http-client.ts'
import { defaultHttpLimits } from './http-limits.ts'

/** A client for which 127.0.0.1 is an address like others, and 127.0.0.2 is closed. */
function clientOf(lookup?: LookupFunction) {
  const tls = () => Promise.reject(new Error('no https here'))
  const addresses = { admits: (address: string) => address === '127.0.0.1', ...(lookup && { lookup }) }
  return createHttpClient({ limits: defaultHttpLimits, tls, addresses })
}

/** A resolver whose answers are these, one after the other, and how often it was asked. */
function resolver(...answers: string[][]) {
  const state = { asked: 0 }
  const lookup: LookupFunction = (_hostname, options, done) => {
    assert.equal(options.all, true)
    const answer = answers[Math.min(state.asked++, answers.length - 1)]!
    done(
      null,
      answer.map((address) => ({ address, family: 4 })),
    )
  }
  return { state, lookup }
}

const refused = { code: 'DENIED', message: /are not allowed/ }

test('A13: a name that has a closed address the next time (DNS rebinding) is not connected to', async () => {
  await using server = await hookReceiver()
  const { lookup, state } = resolver(['127.0.0.1'], ['127.0.0.2'])
  const url = new URL(`http://hook.example:${server.port}/`)
  await using first = clientOf(lookup)
  await (await first.send({ method: 'POST', url })).discard()
  assert.deepEqual(
    [server.messages.length, state.asked],
    [1, 1],
    'what was checked is connected to, without a second look',
  )
  await using second = clientOf(lookup)
  await assert.rejects(second.send({ method: 'POST', url }), refused)
  assert.equal(server.messages.length, 1)
})

test('A13: of several addresses of a name only those that are open are connected to', async () => {
  await using server = await hookReceiver()
  await using client = clientOf(resolver(['127.0.0.2', '127.0.0.1']).lookup)
  const answer = await client.send({ method: 'POST', url: new URL(`http://hook.example:${server.port}/`) })
  assert.equal(answer.status, 204)
  await answer.discard()
})

test('A13: addresses in the URL itself are checked however they are written', async () => {
  await using client = clientOf()
  for (const host of [
    '127.0.0.2',
    '2130706434',
    '0x7f.2',
    '0177.0.0.2',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:2]',
  ]) {
    await assert.rejects(client.send({ method: 'POST', url: new URL(`http://${host}:1/`) }), refused, host)
  }
})

test('a redirect that is not to be followed is an answer', async () => {
  await using server = await hookReceiver()
  server.reply = () => ({ status: 307, headers: { location: `${server.url}/elsewhere` } })
  await using client = clientOf()
  const answer = await client.send({ method: 'POST', url: new URL(server.url), follow: false })
  await answer.discard()
  assert.deepEqual([answer.status, server.messages.length], [307, 1])
})

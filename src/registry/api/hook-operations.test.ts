/** Hooks administered by HTTP, and a server that they tell. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hookReceiver, signatureOf } from '../../../test/kit/hook-receiver.ts'
import { startRegistry } from '../../../test/kit/registry-client.ts'
import { until } from '../../../test/kit/until.ts'

const login = 'root:password-of-root'

test('a hook is added, tested, paused, looked at and told again by HTTP; its secret is shown once, and all is on record', async () => {
  await using receiver = await hookReceiver()
  await using registry = await startRegistry({ anonymous: 'none', hooks: { allowAddresses: ['127.0.0.0/8'] } })
  await registry.registry.users.add('root', 'password-of-root', { admin: true })
  const call = async (method: string, path: string, body?: object) => {
    const json = body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }
    const answer = await registry.request(method, `/api/v1${path}`, { login, ...json })
    assert.ok(answer.status < 300, `${method} ${path}: ${answer.body}`)
    return answer.status === 204 ? {} : answer.json()
  }
  const added = await call('POST', '/hooks', { name: 'ci', url: receiver.url, pattern: 'acme/**', events: ['tag.*'] })
  const secret = String(added['secret'])
  assert.match(secret, /^whsec_/)
  const listed = await registry.request('GET', '/api/v1/hooks', { login })
  const [hook] = listed.json<{ items: Record<string, unknown>[] }>().items
  assert.deepEqual(Object.keys(hook!).toSorted(), ['active', 'createdAt', 'events', 'id', 'name', 'pattern', 'url'])
  const { milliseconds, ...tried } = await call('POST', '/hooks/ci/tests')
  assert.deepEqual([tried, Number.isInteger(milliseconds)], [{ delivered: true, status: 204 }, true])
  const [message] = receiver.messages
  assert.equal(message!.headers['webhook-signature'], signatureOf(secret, message!))
  for (const tag of ['v1', 'v2', 'v3']) await registry.image('acme/web', tag, { tag, login })
  await until('all is told', () => receiver.messages.length === 4)
  await call('DELETE', '/hooks/ci/enabled')
  await registry.image('acme/web', 'v4', { tag: 'v4', login })
  await call('PUT', '/hooks/ci/enabled')
  const page = async (query: string) => {
    const { items, next } = (await call('GET', `/deliveries?hook=ci&${query}`)) as {
      items: { id: number; target: string; state: string }[]
      next?: number
    }
    return { items, targets: items.map(({ target }) => target), next }
  }
  await until('all is on record', async () => (await page('state=delivered')).items.length === 4)
  const first = await page('limit=3')
  assert.deepEqual(first.targets, ['acme/web:v3', 'acme/web:v2', 'acme/web:v1'])
  assert.deepEqual((await page(`limit=3&before=${first.next}`)).targets, ['ci'])
  assert.equal((await page(`limit=3&before=${first.next}`)).next, undefined)
  await call('POST', `/deliveries/${first.items[0]!.id}/attempts`)
  await until('it is told again', () => receiver.messages.length === 5)
  await call('DELETE', '/hooks/ci')
  const { items: lines } = (await call('GET', '/audit?action=hook.*')) as { items: Record<string, unknown>[] }
  assert.deepEqual(
    lines.map(({ actor, address, action, target }) => [actor, address, action, target].join(' ')),
    ['remove', 'redeliver', 'enable', 'disable', 'test', 'add'].map(
      (action) => `user:root 127.0.0.1 hook.${action} ci`,
    ),
  )
  for (const text of [listed.body.toString(), JSON.stringify(lines)]) assert.ok(!text.includes(secret.slice(6)))
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BaleError } from '#base'
import { failureOf } from './failure.ts'
import { checkedRules, type ReplicationSettings } from './replication-settings.ts'

const settings = (parts: Partial<ReplicationSettings> = {}): ReplicationSettings => ({
  ...{ name: 'site', direction: 'push', url: 'https://there.example', repositories: ['**'] },
  ...parts,
})

const nameAt = (parts: Partial<ReplicationSettings>, repository: string) =>
  checkedRules([settings(parts)], ['docker.io'])[0]!.nameAt(repository)

test('names lose a prefix and get another; what is no name then, or an upstream’s, cannot be there', () => {
  assert.deepEqual(nameAt({}, 'team/web'), { name: 'team/web' })
  assert.deepEqual(nameAt({ stripPrefix: 'team' }, 'team/web'), { name: 'web' })
  assert.deepEqual(nameAt({ stripPrefix: 'team' }, 'teams/web'), { name: 'teams/web' })
  assert.deepEqual(nameAt({ stripPrefix: 'team', toPrefix: 'a/b' }, 'team/x/web'), { name: 'a/b/x/web' })
  const long = 'x'.repeat(250)
  assert.deepEqual(nameAt({ toPrefix: 'mirror' }, long), { objection: `not a name of a repository: mirror/${long}` })
  assert.deepEqual(nameAt({ toPrefix: 'docker.io' }, 'web'), { name: 'docker.io/web' }, 'there it is a name as any')
  assert.deepEqual(nameAt({ direction: 'pull', toPrefix: 'docker.io' }, 'web'), {
    objection: 'docker.io/web is below the prefix of an upstream, which alone fills it',
  })
})

for (const [what, rules] of Object.entries<ReplicationSettings[]>({
  'two of a name': [settings(), settings()],
  'a name in capitals': [settings({ name: 'Site' })],
  'no repositories': [settings({ repositories: [] })],
  'what is no pattern': [settings({ repositories: ['***'] })],
  'a prefix with a slash at its end': [settings({ toPrefix: 'a/' })],
  'a prefix that is empty': [settings({ stripPrefix: '' })],
  'a pull on push': [settings({ direction: 'pull', onPush: true })],
  'a URL with a path': [settings({ url: 'https://there.example/v2/' })],
  'a URL with a login': [settings({ url: 'https://ann:secret@there.example' })],
})) {
  test(`rules that cannot be are refused: ${what}`, () => {
    assert.throws(
      () => checkedRules(rules),
      (error) => {
        assert.ok(error instanceof BaleError)
        assert.equal(error.code, 'INVALID_ARGUMENT')
        assert.doesNotMatch(error.message, /secret/)
        return true
      },
    )
  })
}

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE
const pauses = (thrown: unknown, tries: number[]) =>
  tries.map((number) => {
    const { next } = failureOf(thrown, number)
    return typeof next === 'object' ? next.again : next
  })

test('failures by chance are tried again within the hour, refusals within a day, and both are given up', () => {
  const within = (found: (number | string)[], expected: (number | string)[]) => {
    for (const [at, value] of expected.entries()) {
      if (typeof value === 'string') assert.equal(found[at], value)
      else assert.ok(Math.abs(Number(found[at]) / value - 1) <= 0.25, `${found[at]} is about ${value}`)
    }
  }
  const chance = new BaleError('REGISTRY_FAILED', 'status 500')
  within(pauses(chance, [1, 2, 3, 20, 59, 60]), [5000, 10_000, 20_000, 60 * MINUTE, 60 * MINUTE, 'failed'])
  within(pauses(new Error('of our own'), [1, 60]), [5000, 'failed'])
  const refused = new BaleError('REGISTRY_REFUSED', 'status 412')
  within(pauses(refused, [1, 2, 3, 7, 8]), [MINUTE, 4 * MINUTE, 16 * MINUTE, DAY, 'failed'])
  assert.equal(failureOf(chance, 1).rest, undefined)
})

test('a registry that is away, or wants no more requests, rests as a whole, and no tag is given up for it', () => {
  const away = failureOf(new BaleError('REGISTRY_UNREACHABLE', 'no route'), 1000)
  assert.deepEqual(away, { text: 'no route', next: { again: 5000 }, rest: { first: 5000, wait: undefined } })
  const busy = failureOf(new BaleError('RATE_LIMITED', 'later', { details: { retryAfter: 7000 } }), 1)
  assert.deepEqual(busy.rest, { first: 5000, wait: 7000 })
  const login = failureOf(new BaleError('UNAUTHORIZED', 'wrong'), 8)
  assert.deepEqual([login.next, login.rest], ['failed', { first: MINUTE }])
})

test('what another registry says is shown without control characters, and not at any length', () => {
  const { text } = failureOf(new BaleError('REGISTRY_REFUSED', `\u001b[2J${'x'.repeat(5000)}`), 1)
  assert.ok(text.length <= 1010)
  assert.ok(!text.includes('\u001b'))
})

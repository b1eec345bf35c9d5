import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Digest } from '#spec'
import {
  boundRepository,
  type Claim,
  checkClaim,
  checkDigest,
  type RepositoryRule,
  type VerificationContext,
} from './index.ts'

const OWN = 'registry.example/team/web'
const subject = { mediaType: 'x/y', digest: `sha256:${'a'.repeat(64)}` as Digest, size: 1 }
const now = Date.parse('2026-05-01T00:00:00Z')

function judged(
  repositories: Claim['repositories'],
  rule?: RepositoryRule,
  repository: string | undefined = OWN,
): string {
  return reason(() =>
    checkClaim(claim({ repositories }), context({ repository, requirements: { signers: [], repository: rule } })),
  )
}

function claim(parts: Partial<Claim>): Claim {
  return { by: [], who: 'x', repositories: [OWN], annotations: {}, ...parts }
}

function context(parts: Partial<VerificationContext>): VerificationContext {
  return { subject, repository: OWN, requirements: { signers: [] }, now, ...parts }
}

function reason(body: () => void): string {
  try {
    body()
    return 'fine'
  } catch (error) {
    return (error as Error).message
  }
}

test('a signature counts in the repository that it names, and one that names none everywhere unless that is excluded', () => {
  const other = 'registry.example/other/web'
  assert.equal(judged([OWN]), 'fine')
  assert.equal(judged([other]), `was made for ${other}, not for ${OWN}`)
  assert.equal(judged([other, OWN]), 'fine')
  assert.equal(judged([undefined]), 'fine')
  assert.equal(judged([other, undefined]), 'fine')
  assert.equal(judged([OWN], 'named'), 'fine')
  assert.match(
    judged([undefined], 'named'),
    /^names no repository, and one that names registry\.example\/team\/web is required$/,
  )
  assert.match(judged([other, undefined], 'named'), /^was made for /)
  assert.equal(judged([other], 'any'), 'fine')
})

test('an image without a name is in no repository', () => {
  const without = context({ repository: undefined })
  assert.equal(
    reason(() => checkClaim(claim({ repositories: [OWN] }), without)),
    `was made for ${OWN}, not for an image without a name`,
  )
  assert.equal(
    reason(() => checkClaim(claim({ repositories: [undefined] }), without)),
    'fine',
  )
})

test('where a signature must not be older than a time, one without a time or from the future does not count', () => {
  const since = new Date('2026-04-01T00:00:00Z')
  const dated = (time?: string) =>
    reason(() =>
      checkClaim(
        claim({ signedAt: time === undefined ? undefined : new Date(time) }),
        context({ requirements: { signers: [], notOlderThan: since } }),
      ),
    )
  assert.equal(dated('2026-04-01T00:00:00Z'), 'fine')
  assert.equal(dated('2026-05-01T00:09:00Z'), 'fine')
  assert.equal(
    dated('2026-03-31T23:59:59Z'),
    'was made at 2026-03-31T23:59:59Z, and none before 2026-04-01T00:00:00Z counts',
  )
  assert.equal(dated(), 'does not say when it was made, and none before 2026-04-01T00:00:00Z counts')
  assert.equal(dated('2027-01-01T00:00:00Z'), 'was made at 2027-01-01T00:00:00Z, which is in the future')
  assert.equal(
    reason(() => checkClaim(claim({ signedAt: undefined }), context({}))),
    'fine',
  )
})

test('a signature about another digest is told apart', () => {
  checkDigest([`sha256:${'b'.repeat(64)}`, subject.digest], subject)
  assert.throws(() => checkDigest([`sha256:${'b'.repeat(64)}`], subject), {
    code: 'UNTRUSTED',
    message: /^is about sha256:b/,
  })
  assert.throws(() => checkDigest([], subject), {
    code: 'UNTRUSTED',
    message: /^is about no digest, not about sha256:a/,
  })
  assert.throws(() => checkDigest([subject.digest.toUpperCase()], subject), { code: 'UNTRUSTED' })
})

test('the name of a subject binds to a repository when it begins with a registry', () => {
  const cases: [string | undefined, string | undefined][] = [
    ['registry.example/team/web', 'registry.example/team/web'],
    ['registry.example/team/web:1.0', 'registry.example/team/web'],
    ['localhost:5000/web', 'localhost:5000/web'],
    ['localhost/web', 'localhost/web'],
    ['index.docker.io/library/debian', 'docker.io/library/debian'],
    ['team/web', undefined],
    ['app.tar', undefined],
    ['', undefined],
    [undefined, undefined],
    ['pkg:docker/team/web@1.0', undefined],
    ['https://registry.example/team/web', undefined],
    ['registry.example/Team/Web', undefined],
  ]
  for (const [name, repository] of cases) assert.equal(boundRepository(name), repository, name)
})

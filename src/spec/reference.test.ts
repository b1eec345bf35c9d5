import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isBaleError } from '#base'
import { parseDigest } from './digest.ts'
import {
  familiarName,
  fullName,
  imageName,
  parseReference,
  parseReferenceOrDigest,
  withDefaultTag,
  withDigest,
  withTag,
} from './reference.ts'

const HEX = 'ab'.repeat(32)
const DIGEST = parseDigest(`sha256:${HEX}`)

const names: [written: string, full: string, familiar: string][] = [
  ['ubuntu', 'docker.io/library/ubuntu', 'ubuntu'],
  ['ann/tool:1', 'docker.io/ann/tool:1', 'ann/tool:1'],
  ['a/b/c', 'docker.io/a/b/c', 'a/b/c'],
  ['index.docker.io/debian', 'docker.io/library/debian', 'debian'],
  ['docker.io/library/x', 'docker.io/library/x', 'x'],
  ['docker.io/library/a/b', 'docker.io/library/a/b', 'library/a/b'],
  ['docker.io/localhost/x', 'docker.io/localhost/x', 'docker.io/localhost/x'],
  ['localhost/x', 'localhost/x', 'localhost/x'],
  ['localhost:5000/team/web:1.0', 'localhost:5000/team/web:1.0', 'localhost:5000/team/web:1.0'],
  ['[::1]:5000/x', '[::1]:5000/x', '[::1]:5000/x'],
  ['HOST.example/x', 'host.example/x', 'host.example/x'],
  ['LOCALHOST/x', 'localhost/x', 'localhost/x'],
  ['a__b.c-d---e', 'docker.io/library/a__b.c-d---e', 'a__b.c-d---e'],
  [`x:1@${DIGEST}`, `docker.io/library/x:1@${DIGEST}`, `x:1@${DIGEST}`],
  [`x@${DIGEST}`, `docker.io/library/x@${DIGEST}`, `x@${DIGEST}`],
]

test('names are normalised as docker does', () => {
  for (const [written, full, familiar] of names) {
    const reference = parseReference(written)
    assert.equal(fullName(reference), full, written)
    assert.equal(familiarName(reference), familiar, written)
    assert.ok(Object.isFrozen(reference))
  }
})

const refused: [text: string, message: RegExp][] = [
  ['', /^invalid reference format/],
  ['Ubuntu', /repository name must be lowercase/],
  ['ann/Tool', /repository name must be lowercase/],
  ['Ann/tool', /repository name must be lowercase/],
  ['x:', /invalid reference format/],
  ['x:-a', /invalid reference format/],
  [`x:${'t'.repeat(129)}`, /invalid reference format/],
  ['a..b', /invalid reference format/],
  ['-a', /invalid reference format/],
  ['a//b', /invalid reference format/],
  ['/a', /invalid reference format/],
  ['a/', /invalid reference format/],
  ['a b', /invalid reference format/],
  ['x\n', /invalid reference format/],
  ['example.com/', /invalid reference format/],
  ['a:b/c', /invalid reference format/],
  ['a:999999/c', /invalid reference format/],
  ['x@sha256:12', /not a digest/],
  [`x@${DIGEST}@${DIGEST}`, /not a digest/],
  [`x@sha256:${HEX.toUpperCase()}`, /not a digest/],
  [`example.com/${'a'.repeat(250)}`, /not be more than 255 characters/],
]

test('names that break the grammar are refused in docker’s words, with a hint', () => {
  for (const [text, message] of refused) {
    assert.throws(
      () => parseReference(text),
      (error) => isBaleError(error, 'INVALID_REFERENCE') && message.test(error.message) && error.hint !== undefined,
      JSON.stringify(text),
    )
  }
})

test('C12 tricky names: parent directories, foreign letters and IDs never become a repository', () => {
  for (const text of ['hub/../x', '../x', 'hub/./x', 'dосker.io/x', 'xn/ä', HEX, `sha256:${HEX}`, 'a%2fb', 'x\u202e']) {
    assert.throws(() => parseReference(text), { code: 'INVALID_REFERENCE' }, text)
  }
  assert.equal(fullName(parseReference(HEX.slice(1))), `docker.io/library/${HEX.slice(1)}`)
})

test('tags and digests replace each other; latest is added only when both are missing', () => {
  const web = parseReference('web')
  assert.equal(fullName(withDefaultTag(web)), 'docker.io/library/web:latest')
  assert.equal(fullName(withDefaultTag(withDigest(web, DIGEST))), `docker.io/library/web@${DIGEST}`)
  assert.equal(fullName(withTag(withDigest(web, DIGEST), 'v1')), 'docker.io/library/web:v1')
  assert.throws(() => withTag(web, 'a/b'), { code: 'INVALID_REFERENCE' })
  assert.equal(parseReferenceOrDigest(DIGEST), DIGEST)
})

const component = fc.stringMatching(/^[a-z0-9]{1,6}(?:(?:\.|_|__|-{1,3})[a-z0-9]{1,4}){0,2}$/)
const registry = fc.constantFrom(
  'docker.io',
  'localhost',
  'localhost:5000',
  'r.example',
  '127.0.0.1:80',
  'Host.example',
)
const tag = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}$/)

test('property: a well formed name reads back the same from its full and its familiar form', () => {
  fc.assert(
    fc.property(
      fc.option(registry, { nil: undefined }),
      fc.array(component, { minLength: 1, maxLength: 4 }),
      fc.option(tag, { nil: undefined }),
      fc.boolean(),
      (anyHost, path, aTag, pinned) => {
        const host = anyHost ?? (path.length > 1 && path[0]!.includes('.') ? 'docker.io' : undefined)
        const text =
          [...(host ? [host] : []), ...path].join('/') + (aTag ? `:${aTag}` : '') + (pinned ? `@${DIGEST}` : '')
        const reference = parseReference(text)
        assert.deepEqual(parseReference(fullName(reference)), reference)
        assert.deepEqual(parseReference(familiarName(reference)), reference)
        assert.equal(reference.tag, aTag)
      },
    ),
  )
})

test('property: any text is read or refused with INVALID_REFERENCE, and what is read reads back', () => {
  const character = fc.constantFrom(...'abzAZ09./:@-_%~ \u0000é'.split(''))
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.string({ unit: character })), (text) => {
      try {
        const reference = parseReference(text)
        assert.deepEqual(parseReference(fullName(reference)), reference)
        assert.deepEqual(parseReference(familiarName(reference)), reference)
      } catch (error) {
        assert.ok(isBaleError(error, 'INVALID_REFERENCE'), String(error))
      }
    }),
    { numRuns: 500 },
  )
})

test('the name of an image in a store has a tag, latest by default, and no digest', () => {
  assert.equal(fullName(imageName(parseReference('web'))), 'docker.io/library/web:latest')
  assert.equal(fullName(imageName(parseReference('localhost:5000/web:1'))), 'localhost:5000/web:1')
  assert.throws(() => imageName(parseReference(`web:1@${DIGEST}`)), { code: 'INVALID_REFERENCE' })
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nounHelp } from './render-help.ts'
import { unknownVerb } from './unknown-verb.ts'
import { VERBS } from './verb-table.ts'

test('an unknown verb names the one that was most likely meant', () => {
  assert.deepEqual(unknownVerb(['imgaes', '-q'], VERBS), {
    text: "bale: 'imgaes' is not a bale command.\nDid you mean 'bale images'?\nSee 'bale --help'\n",
    asked: false,
  })
  assert.match(unknownVerb(['volum', 'ls'], VERBS).text, /^Did you mean 'bale volume'\?$/m)
})

test('words that are near no verb get no suggestion', () => {
  assert.equal(
    unknownVerb(['frobnicate'], VERBS).text,
    "bale: 'frobnicate' is not a bale command.\nSee 'bale --help'\n",
  )
})

test('a mistake below a noun names the verbs of that noun, also two words deep', () => {
  const { text, asked } = unknownVerb(['registry', 'user', 'ad', 'me'], VERBS)
  assert.equal(asked, false)
  assert.equal(
    text,
    `bale: 'registry user ad' is not a bale command.\nDid you mean 'bale registry user add'?\n${nounHelp('registry user')}\n`,
  )
})

test('a noun alone, or with --help, shows its verbs', () => {
  for (const words of [['image'], ['image', '--help'], ['image', '-h']])
    assert.deepEqual(unknownVerb(words, VERBS), { text: `${nounHelp('image')}\n`, asked: true })
})

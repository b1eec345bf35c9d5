import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nounHelp, overviewHelp, verbHelp } from './render-help.ts'
import { VERBS } from './verb-table.ts'

test('help fits into 80 columns; only examples, which are to be copied, stay on one line', async () => {
  const pages = [overviewHelp(), ...['container', 'registry', 'manifest'].map(nounHelp)]
  for (const { load } of VERBS) pages.push(verbHelp((await load()).verb).split('\nExamples:\n')[0]!)
  for (const line of pages.flatMap((page) => page.split('\n'))) assert.ok(line.length <= 80, `${line.length}: ${line}`)
  assert.match(verbHelp((await VERBS[0]!.load()).verb), /\n {2}bale build -t app --target runtime .*\n/)
})

test('continued text is aligned under its first line', () => {
  const lines = overviewHelp().split('\n')
  const first = lines.findIndex((line) => line.startsWith('  system prune'))
  assert.equal(lines[first + 1]!.search(/\S/), lines[first]!.indexOf('Remove'))
})

test('verbs that bale itself calls are not offered', async () => {
  assert.doesNotMatch(overviewHelp() + nounHelp('container'), /cleanup|health/)
  const entry = VERBS.find(({ names }) => names.includes('container cleanup'))!
  assert.match(verbHelp((await entry.load()).verb), /^Usage: {2}bale container cleanup/)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BaleError } from '#base'
import { renderFailure } from './failure.ts'
import { phraseNextStep } from './next-step.ts'

test('a next step is phrased with the verb and the facts', () => {
  for (const [step, phrase] of [
    [
      { act: 'login', registry: 'localhost:5000', because: 'unknown' },
      'it may not exist, or may require a login: bale login localhost:5000',
    ],
    [{ act: 'prune' }, 'bale system prune frees unused space'],
    [{ act: 'remove-container', names: ['web'] }, 'remove the container first: bale rm web'],
    [{ act: 'remove-container', names: ['a', 'b'] }, 'remove the containers first: bale rm a b'],
    [{ act: 'choose-platform', offered: 'linux/arm64' }, 'choose one of them with --platform linux/arm64'],
    [{ act: 'repair-store' }, 'run `bale system check --repair`, then pull, load or build the image again'],
  ] as const)
    assert.equal(phraseNextStep(step), phrase)
})

test('a failure shows its next step, then its hint, on one line without control characters', () => {
  const facts = { next: { act: 'untag-image', name: 'x\n\x1b[1m' }, hint: 'or choose another name' } as const
  assert.equal(
    renderFailure(new BaleError('CONFLICT', 'taken', facts)),
    'bale: taken\nhint: untag the image: bale rmi x\\x0a\\x1b[1m; or choose another name',
  )
})

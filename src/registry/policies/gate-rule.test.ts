import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { checkedGateRule, type GateRule } from './gate-rule.ts'

const pemOf = (curve: string) =>
  generateKeyPairSync('ec', { namedCurve: curve }).publicKey.export({ type: 'spki', format: 'pem' }).toString()

test('what a gate says is kept, each account once, and keys in one way', async () => {
  const key = pemOf('prime256v1')
  const rule: GateRule = {
    ...{ severity: 'none', onlyFixable: true, grace: 0, unknown: 'high', notCovered: 'block', exploited: 'allow' },
    ...{ unscanned: { wait: 100_000 }, stale: 1, staleAct: 'block', signers: [`${key}\n`] },
    exempt: ['user:ann', 'robot:acme+scanner', 'user:ann'],
  }
  assert.deepEqual(await checkedGateRule(rule), {
    ...rule,
    signers: [key],
    exempt: ['user:ann', 'robot:acme+scanner'],
  })
  const said = Object.entries(await checkedGateRule({})).filter(([, value]) => value !== undefined)
  assert.deepEqual(said, [], 'what is not said stays unsaid')
})

const WRONG: [rule: object, message: RegExp][] = [
  [{ severity: 'serious' }, /severity of a gate is one of .*critical, none, and not serious/],
  [{ severity: 4 }, /severity of a gate/],
  [{ unknown: 'unknown' }, /unknown of a gate is one of negligible, .*allow, and not unknown/],
  [{ unknown: 'none' }, /unknown of a gate/],
  [{ notCovered: 'warn' }, /notCovered of a gate/],
  [{ exploited: '' }, /exploited of a gate/],
  [{ onlyFixable: 'yes' }, /onlyFixable/],
  [{ grace: -1 }, /grace of a gate/],
  [{ grace: 1.5 }, /grace of a gate/],
  [{ grace: 1e16 }, /grace of a gate/],
  [{ stale: 0 }, /stale of a gate/],
  [{ staleAct: 'block' }, /staleAct needs stale/],
  [{ stale: 1, staleAct: 'allow' }, /staleAct of a gate/],
  [{ unscanned: 'wait' }, /unscanned of a gate/],
  [{ unscanned: { wait: 100_001 } }, /wait of a gate is a whole number of milliseconds from 1 to 100000/],
  [{ unscanned: { wait: 0 } }, /wait of a gate/],
  [{ unscanned: {} }, /wait of a gate/],
  [{ signers: [] }, /names 1 to 20 public keys/],
  [{ signers: ['x'] }, /signer key 1/],
  [{ signers: [pemOf('prime256v1'), pemOf('secp384r1')] }, /signer key 2 is an ECDSA key on the curve/],
  [{ signers: ['x'.repeat(9000)] }, /more than 8192 characters/],
  [{ exempt: ['ann'] }, /not a user or robot: ann/],
  [{ exempt: ['user:acme+ci'] }, /not a user or robot/],
  [{ exempt: ['robot:acme'] }, /not a user or robot/],
  [{ exempt: ['operator'] }, /not a user or robot/],
  [{ exempt: Array.from({ length: 101 }, (_, at) => `user:a${at}`) }, /at most 100 accounts/],
]

test('what cannot be meant is refused by name', async () => {
  for (const [rule, message] of WRONG) {
    await assert.rejects(checkedGateRule(rule as GateRule), { code: 'INVALID_ARGUMENT', message }, String(message))
  }
})

test('no private key is taken for a public one', async () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  await assert.rejects(checkedGateRule({ signers: [pem] }), { code: 'INVALID_ARGUMENT', message: /private key/ })
})

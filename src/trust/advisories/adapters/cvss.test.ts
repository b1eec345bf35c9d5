import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadCvss } from './cvss.ts'

/** Scores of FIRST's calculators. */
for (const [vector, score, level] of [
  ['CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H', 9.8, 'critical'],
  ['CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/E:U/RL:O', 9.8, 'critical'],
  ['CVSS:3.0/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H', 7.8, 'high'],
  ['CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N', 1.8, 'low'],
  ['CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N', 9.3, 'critical'],
  ['AV:N/AC:L/Au:N/C:P/I:P/A:P', 7.5, 'high'],
] as const) {
  test(`the base score of ${vector} is ${score}, ${level}`, async () => {
    assert.deepEqual((await loadCvss())(vector), { score, level, vector })
  })
}

test('what is no whole vector has no score, whatever its length', async () => {
  const score = await loadCvss()
  const texts = [
    '',
    'junk',
    'CVSS:3.1/AV:N',
    'CVSS:3.1/XX:Y/XX:Y/XX:Y/XX:Y/XX:Y/XX:Y',
    `CVSS:3.1/${'AV:N/'.repeat(50_000)}`,
    'CVSS:9.9/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H',
    '__proto__',
  ]
  assert.deepEqual(
    texts.map((text) => score(text)),
    texts.map(() => undefined),
  )
})

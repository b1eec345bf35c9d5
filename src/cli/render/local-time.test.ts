import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { zoneNames } from './local-time.ts'

const rules: [rule: string, names: ReturnType<typeof zoneNames>][] = [
  [
    'CET-1CEST,M3.5.0,M10.5.0/3',
    [
      { name: 'CET', minutes: 60 },
      { name: 'CEST', minutes: 120 },
    ],
  ],
  [
    'NST3:30NDT,M3.2.0,M11.1.0',
    [
      { name: 'NST', minutes: -210 },
      { name: 'NDT', minutes: -150 },
    ],
  ],
  [
    'IST-1GMT0,M10.5.0,M3.5.0/1',
    [
      { name: 'IST', minutes: 60 },
      { name: 'GMT', minutes: 0 },
    ],
  ],
  ['<+0545>-5:45', [{ name: '+0545', minutes: 345 }]],
  ['UTC0', [{ name: 'UTC', minutes: 0 }]],
  ['', []],
]

test('the last rule of a zone file names its offsets', () => {
  for (const [rule, names] of rules) assert.deepEqual(zoneNames(rule), names, rule)
})

const WINTER = Date.UTC(2026, 0, 2, 3, 4, 5, 678)
const SUMMER = Date.UTC(2026, 6, 2, 23, 4, 5)

test('times are written in the caller’s zone, as Go does', () => {
  const times: [zone: string, time: number, text: RegExp, rfc3339: string][] = [
    ['UTC', WINTER, /^2026-01-02 03:04:05 \+0000 UTC$/, '2026-01-02T03:04:05Z'],
    // A machine without the zone database shows the offset in place of the name.
    ['Europe/Berlin', WINTER, /^2026-01-02 04:04:05 \+0100 (CET|\+0100)$/, '2026-01-02T04:04:05+01:00'],
    ['Europe/Berlin', SUMMER, /^2026-07-03 01:04:05 \+0200 (CEST|\+0200)$/, '2026-07-03T01:04:05+02:00'],
    ['America/St_Johns', WINTER, /^2026-01-01 23:34:05 -0330 (NST|-0330)$/, '2026-01-01T23:34:05-03:30'],
  ]
  const module = JSON.stringify(new URL('./local-time.ts', import.meta.url).href)
  for (const zone of new Set(times.map(([zone]) => zone))) {
    const own = times.filter((one) => one[0] === zone)
    const code = `
      const { goTimestamp, localRfc3339 } = await import(${module})
      for (const time of ${JSON.stringify(own.map(([, time]) => time))}) console.log(goTimestamp(time) + '\\n' + localRfc3339(time))`
    // A zone is a program's from its start.
    const args = ['--conditions=source', '--disable-warning=ExperimentalWarning', '--input-type=module', '-e', code]
    const lines = execFileSync(process.execPath, args, { env: { TZ: zone }, encoding: 'utf8' })
      .trim()
      .split('\n')
    for (const [index, [, , text, rfc3339]] of own.entries()) {
      assert.match(lines[2 * index]!, text)
      assert.equal(lines[2 * index + 1], rfc3339)
    }
  }
})

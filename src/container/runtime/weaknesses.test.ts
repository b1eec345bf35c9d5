import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseRuntimeVersion, weaknessesOf } from './weaknesses.ts'

const holes = (text: string) => weaknessesOf(parseRuntimeVersion(text)!).map(({ id }) => id.slice(4))

test('a runtime is named with the published holes of its version', () => {
  const of2025 = ['2025-31133', '2025-52565', '2025-52881']
  const cases: [string, string[]][] = [
    ['runc version 1.1.5+ds1\ncommit: 1.1.5+ds1-1+deb12u1\nspec: 1.0.2-dev', ['2024-45310', ...of2025, '2026-41579']],
    ['runc version 1.1.5+ds1\ncommit: 1.1.5+ds1-1', ['2024-21626', '2024-45310', ...of2025, '2026-41579']],
    ['runc version 1.1.5+ds1\ncommit: 1.1.5+ds1-1+deb12u12', ['2024-45310', ...of2025, '2026-41579']],
    ['runc version 1.1.14\ncommit: v1.1.14-0-g2c9f560', [...of2025, '2026-41579']],
    ['runc version 1.2.0-rc.2', ['2024-45310', ...of2025, '2026-41579']],
    ['runc version 1.2.8', ['2026-41579']],
    ['runc version 1.3.2', [...of2025, '2026-41579']],
    ['runc version 1.3.6', []],
    ['runc version 1.4.0-rc.2', [...of2025, '2026-41579']],
    ['runc version 1.4.0', ['2026-41579']],
    ['runc version 1.5.0-rc.3', []],
    ['runc version 2.0.0', []],
    ['crun version 1.8.1\ncommit: f8a096be\n+SYSTEMD +SELINUX', ['2026-88264', '2026-88265']],
    ['crun version 1.19.1\n+LIBKRUN', ['2025-24965', '2026-30892', '2026-88264', '2026-88265']],
    ['crun version 1.27', ['2026-88264', '2026-88265']],
  ]
  for (const [text, expected] of cases) assert.deepEqual(holes(text), expected, text)
  assert.equal(parseRuntimeVersion('youki version 0.5'), undefined)
})

test('holes that bale closes say how; those that stay say nothing', () => {
  const found = weaknessesOf(parseRuntimeVersion('runc version 1.1.5')!)
  const open = found.filter(({ closed }) => closed === undefined).map(({ id }) => id)
  assert.deepEqual(open, ['CVE-2024-21626', 'CVE-2024-45310', 'CVE-2025-31133', 'CVE-2025-52565', 'CVE-2025-52881'])
})

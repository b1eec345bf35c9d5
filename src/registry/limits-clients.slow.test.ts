/** What skopeo makes of quotas, policies and former names. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { startRegistry } from '../../test/kit/registry-client.ts'

const skip =
  spawnSync('skopeo', ['--version']).error === undefined ? false : 'skopeo is not installed (apt-get install skopeo)'

async function skopeo(...args: string[]): Promise<{ code: number; said: string }> {
  const child = spawn('skopeo', ['--insecure-policy', ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  const [[code], output, errors] = await Promise.all([once(child, 'exit'), text(child.stdout), text(child.stderr)])
  return { code: Number(code), said: output + errors }
}

test('skopeo shows why a quota or policy refuses, and pulls by a former name with its login', { skip }, async () => {
  await using registry = await startRegistry({ anonymous: 'none' })
  const { users, quotas, policies, renames } = registry.registry
  await users.add('ann', 'password of ann')
  for (const below of ['team', 'full', 'prod']) await users.grant('ann', `${below}/**`, 'admin')
  const login = 'ann:password of ann'
  await registry.image('team/web', 'one', { tag: '1', login })
  await quotas.set('full/**', { bytes: 100 })
  await policies.types('prod/**', { block: ['application/vnd.oci.image.config.*'] })
  const copy = (from: string, to: string) =>
    skopeo(
      ...['copy', '--src-tls-verify=false', '--dest-tls-verify=false', '--src-creds', login, '--dest-creds', login],
      ...[`docker://${registry.address}/${from}`, `docker://${registry.address}/${to}`],
    )
  const full = await copy('team/web:1', 'full/web:1')
  assert.equal(full.code, 1)
  assert.match(full.said, /denied: the quota of full\/\*\* is 100B: \d+B are used, and this needs \d+B more/)
  const blocked = await copy('team/web:1', 'prod/web:1')
  assert.equal(blocked.code, 1)
  assert.match(
    blocked.said,
    /policy \d+ of prod\/\*\* blocks the media type application\/vnd\.oci\.image\.config\.v1\+json/,
  )
  await renames.rename('team/web', 'team/site', { redirect: 60_000 })
  const pulled = await copy('team/web:1', 'team/copy:1')
  assert.equal(pulled.code, 0, pulled.said)
  const pushed = await copy('team/site:1', 'team/web:2')
  assert.equal(pushed.code, 1)
  assert.match(pushed.said, /team\/web was renamed to team\/site: push to that/)
})

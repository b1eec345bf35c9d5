/** A20: whatever is secret is in no log, no metric, no answer to others and no report. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '#base'
import { clientOf, sha256, startRegistry } from '../../../test/kit/registry-client.ts'
import { temporaryDirectory } from '../../../test/kit/temporary.ts'
import { serveRegistry } from '../index.ts'

const PASSWORD = 'canary-password-of-ann'
const GUESS = 'canary-guess-at-ann'

test('A20: passwords, guesses, tokens and the secret are in no output: request log, audit log, metrics, reports, trace', async () => {
  await using place = await temporaryDirectory('bale-canary')
  const outputs: string[] = []
  const requestLog = new PassThrough()
  requestLog.on('data', (chunk: Buffer) => outputs.push(chunk.toString()))
  const log: Log = { debug: (...said) => outputs.push(JSON.stringify(said)) }
  const report = (failure: Error, request: string) => outputs.push(`${failure.stack} ${request}`)
  const directory = `${place.path}/r`
  const secrets: Record<string, string> = { password: PASSWORD, guess: GUESS }
  {
    await using served = await serveRegistry({
      ...{ directory, port: 0, requestLog, log, report },
      metrics: { host: '127.0.0.1', port: 0 },
    })
    const { request, image } = clientOf(served.address)
    const { users, robots, accessTokens } = served.registry
    await users.add('ann', PASSWORD)
    const robot = await robots.add('ann+ci', { grants: [{ pattern: 'ann/web', role: 'read' }] })
    const accessToken = await accessTokens.add('ann', 'laptop')
    const login = `ann:${PASSWORD}`
    await image('ann/web', 'one', { tag: '1', login })
    const issued = await request('GET', '/token?scope=repository:ann/web:pull', { login })
    const { token } = issued.json<{ token: string }>()
    const basic = Buffer.from(login).toString('base64')
    const secret = readFileSync(`${directory}/secret`, 'utf8').trim()
    Object.assign(secrets, { robot, accessToken, token, signature: token.split('.')[2]!, basic, secret })
    const shown = [
      { login },
      { login: `ann:${GUESS}` },
      { login: `${GUESS}:x` },
      { login: `ann:${accessToken}` },
      { login: `bob:${accessToken}` },
      { login: `ann+ci:${robot}` },
      { token },
      { token: `${token}x` },
      { token: accessToken },
      { headers: { Authorization: PASSWORD } },
      { headers: { Authorization: `Basic ${PASSWORD}` } },
      { headers: { Authorization: `Basic ${basic}`, 'X-Request-Id': `${PASSWORD} ${token}` } },
      {
        headers: {
          Authorization: `Bearer ${PASSWORD} ${token}`,
          Cookie: PASSWORD,
          'User-Agent': token,
          Referer: token,
        },
      },
    ]
    const paths = [
      '/v2/',
      '/token?scope=repository:ann/web:pull',
      `/token?account=ann&password=${PASSWORD}&client_secret=${accessToken}`,
      '/v2/ann/web/manifests/1',
      '/v2/other/web/manifests/1',
      `/v2/ann/web/blobs/${sha256('none')}?token=${token}`,
      `http://ann:${PASSWORD}@${served.address}/v2/`,
    ]
    for (const sending of shown) {
      for (const path of paths) {
        const answer = await request('GET', path, sending)
        // The end point that issues tokens tells them; nothing else repeats what it was shown.
        if (!(path.startsWith('/token') && answer.status === 200))
          outputs.push(JSON.stringify(answer.headers), `${answer.body}`)
      }
    }
    const forms: Record<string, string>[] = [
      { username: 'ann', password: GUESS },
      { username: 'ann', password: PASSWORD, scope: token },
      { password: PASSWORD },
    ]
    for (const fields of forms) {
      const body = new URLSearchParams({ grant_type: 'password', ...fields }).toString()
      const answer = await request('POST', '/token', { body })
      if (answer.status !== 200) outputs.push(`${answer.body}`)
      outputs.push(`${(await request('POST', `/token`, { body: body.replace('password', 'refresh_token') })).body}`)
    }
    outputs.push(await (await fetch(served.metricsUrl!)).text())
    outputs.push(JSON.stringify(await accessTokens.list('ann')), JSON.stringify(await users.list()))
  }
  await sleep(20)
  await using again = await startRegistry({ directory })
  const audit = await Array.fromAsync(again.registry.audit.entries())
  assert.ok(audit.length > 5)
  outputs.push(JSON.stringify(audit))
  const text = outputs.join('\n')
  assert.ok(outputs.length > 200 && text.includes('"user":"ann"'))
  // Whom a login claims to be is a name to look for, also if it is a secret in the wrong field.
  const found = Object.entries(secrets).filter(([name, value]) => name !== 'guess' && text.includes(value))
  assert.deepEqual(
    found.map(([name, value]) => [name, outputs.find((one) => one.includes(value))]),
    [],
  )
  assert.ok(!text.replaceAll(/as canary-guess-at-ann/g, '').includes(GUESS))
})

/** The pages of logins in a real browser: what it refuses, keeps and sends is not what a stand-in thinks. */
import assert from 'node:assert/strict'
import { createServer, type IncomingMessage } from 'node:http'
import { request } from 'node:https'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { test } from 'node:test'
import type { Page } from 'playwright-core'
import { startChromium, withoutChromium } from '../../../test/kit/chromium.ts'
import { freePort } from '../../../test/kit/free-port.ts'
import { optionsFor, startProvider } from '../../../test/kit/provider.ts'
import { startRegistry } from '../../../test/kit/registry-client.ts'
import { selfSigned } from '../../../test/kit/self-signed.ts'

const skip = withoutChromium()
const PASSWORD = 'password-of-ann'
const GRANT = 'urn:ietf:params:oauth:grant-type:device_code'

/** A registry that browsers know as registry.test, by https. */
async function served(options: Parameters<typeof startRegistry>[0] = {}) {
  const port = await freePort()
  const url = `https://registry.test:${port}`
  const registry = await startRegistry({
    ...{ anonymous: 'none', port, tls: selfSigned('registry.test'), externalUrl: url },
    ...options,
  })
  await registry.registry.users.add('ann', PASSWORD)
  return { url, registry, [Symbol.asyncDispose]: () => registry[Symbol.asyncDispose]() }
}

/** A program that waits to be let in, and knows the registry by its address. */
async function program(url: string) {
  const post = async (path: string, fields: Record<string, string>) => {
    const { host, port } = new URL(url)
    const options = { host: '127.0.0.1', port, path, method: 'POST', headers: { host }, rejectUnauthorized: false }
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      request(options, resolve).on('error', reject).end(new URLSearchParams(fields).toString())
    })
    return (await json(answer)) as Record<string, string>
  }
  const begun = await post('/login/device/code', { client_id: 'tool' })
  return {
    code: begun['user_code']!,
    address: begun['verification_uri_complete']!,
    poll: () => post('/login/device/token', { grant_type: GRANT, device_code: begun['device_code']! }),
  }
}

async function logIn(page: Page): Promise<void> {
  // The first field gets the focus by itself, once the page has been drawn: nobody needs a mouse.
  await page.locator('input[name=name]:focus').waitFor()
  await page.keyboard.type('ann')
  await page.keyboard.press('Tab')
  await page.keyboard.type(PASSWORD)
  await page.keyboard.press('Enter')
}

const words = (page: Page) => page.locator('body').innerText()

test('somebody lets a program in by a password, and logs out', { skip }, async () => {
  await using place = await served()
  await using chromium = await startChromium()
  const { page, complaints } = await chromium.page()
  const { code, address, poll } = await program(place.url)
  assert.ok(address.startsWith(`${place.url}/login/device?`))
  await page.goto(address)
  await logIn(page)
  await page.getByRole('button', { name: 'Allow' }).waitFor()
  const asked = await words(page)
  for (const part of [code, 'tool', 'ann', '127.0.0.1']) assert.ok(asked.includes(part), `${part} in ${asked}`)
  await page.getByRole('button', { name: 'Allow' }).click()
  await page.getByText('The program is let in').waitFor()
  assert.ok((await poll())['refresh_token'])
  const [cookie] = await page.context().cookies()
  assert.deepEqual(
    [cookie?.name, cookie?.httpOnly, cookie?.secure, cookie?.sameSite],
    ['__Host-bale-session', true, true, 'Lax'],
  )
  await page.goto(`${place.url}/login`)
  assert.match(await words(page), /You are logged in as ann/)
  assert.equal(await page.evaluate('getComputedStyle(document.body).maxWidth'), '416px', 'the style is taken')
  await page.getByRole('button', { name: 'Log out' }).click()
  await page.getByLabel('Password').waitFor()
  assert.deepEqual(await page.context().cookies(), [])
  assert.deepEqual(complaints, [])
})

test('a wrong password says so, and keeps where the person wanted to go', { skip }, async () => {
  await using place = await served()
  await using chromium = await startChromium()
  const { page } = await chromium.page()
  await page.goto(`${place.url}/login/device`)
  await page.getByLabel('Name').fill('ann')
  await page.getByLabel('Password').fill('another')
  await page.getByRole('button', { name: 'Log in' }).click()
  await page.getByRole('alert').waitFor()
  await logIn(page)
  await page.getByLabel('Code').waitFor()
  assert.match(page.url(), /\/login\/device$/)
})

test('somebody logs in at a provider, on loopback without https too', { skip }, async () => {
  for (const secure of [true, false]) {
    const port = await freePort()
    const url = secure ? `https://registry.test:${port}` : `http://127.0.0.1:${port}`
    await using provider = await startProvider({ redirects: [`${url}/login/callback`] })
    provider.people.set('s-1', { preferred_username: 'bob' })
    provider.person = 's-1'
    const tls = secure ? { tls: selfSigned('registry.test'), externalUrl: url } : {}
    await using place = await served({
      port,
      tls: undefined,
      externalUrl: undefined,
      provider: optionsFor(provider),
      ...tls,
    })
    await using chromium = await startChromium()
    const { page, complaints } = await chromium.page()
    await page.goto(`${url}/login?by=password`)
    await page.getByRole('link', { name: 'Log in with Example login' }).click()
    await page.getByText('You are logged in as bob').waitFor()
    assert.equal(new URL(page.url()).origin, url)
    assert.deepEqual([complaints, provider.failures], [[], []])
    assert.equal((await place.registry.registry.users.list()).length, 2)
  }
})

test('A10: another site can neither act for a logged-in user nor frame our pages', {
  skip,
}, async () => {
  await using place = await served()
  await using chromium = await startChromium()
  const { page, complaints } = await chromium.page()
  const { code, poll } = await program(place.url)
  await page.goto(`${place.url}/login`)
  await logIn(page)
  await page.getByText('You are logged in as ann').waitFor()
  const fields = Object.entries({ user_code: code, decision: 'allow', token: '' })
  const inputs = fields.map(([name, value]) => `<input name="${name}" value="${value}">`).join('')
  const pages: Record<string, string> = {
    '/act': `<form method="post" action="${place.url}/login/device">${inputs}<button>Win</button></form>`,
    '/out': `<form method="post" action="${place.url}/login/logout"><button>Win</button></form>`,
    '/frame': `<iframe src="${place.url}/login/device?user_code=${code}"></iframe>`,
  }
  const evil = createServer((request, response) => {
    response.writeHead(200, { 'Content-Type': 'text/html' }).end(pages[request.url ?? ''] ?? '')
  })
  await new Promise<void>((resolve) => evil.listen(0, '127.0.0.1', resolve))
  try {
    const elsewhere = `http://evil.test:${(evil.address() as AddressInfo).port}`
    for (const path of ['/act', '/out']) {
      await page.goto(`${elsewhere}${path}`)
      await page.getByRole('button', { name: 'Win' }).click()
      await page.getByText('was not sent by a page of this registry').waitFor()
    }
    await page.goto(`${elsewhere}/frame`)
    await page.waitForLoadState('networkidle')
    assert.ok(
      complaints.some((one) => /frame-ancestors/.test(one)),
      complaints.join('\n'),
    )
    assert.equal((await poll())['error'], 'authorization_pending')
    await page.goto(`${place.url}/login`)
    await page.getByText('You are logged in as ann').waitFor()
  } finally {
    evil.closeAllConnections()
    await new Promise((resolve) => evil.close(resolve))
  }
})

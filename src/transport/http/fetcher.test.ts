import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { isBaleError } from '#base'
import { type Handler, planServer } from '../../../test/kit/planned-server.ts'
import { proxyServer } from '../../../test/kit/proxy-server.ts'
import { selfSigned } from '../../../test/kit/self-signed.ts'
import { socksServer } from '../../../test/kit/socks-server.ts'
import { temporaryDirectory } from '../../../test/kit/temporary.ts'
import { createFetcher, type FetchedUrl, type FetcherOptions } from './fetcher.ts'

async function text({ body }: FetchedUrl): Promise<string> {
  return Buffer.concat(await Array.fromAsync(body)).toString()
}

async function fetched(address: string, options: FetcherOptions = {}): Promise<string> {
  await using web = createFetcher(options)
  return text(await web.get(address))
}

test('a file has the name of its URL with escapes undone, and the time of its Last-Modified', async () => {
  const modified = 'Tue, 14 Nov 2023 22:13:20 GMT'
  await using server = await planServer(({ path }, response) => {
    response.writeHead(200, { 'last-modified': modified }).end(path)
  })
  await using web = createFetcher({})
  const one = await web.get(`${server.url}/a/My%20Root%C3%BC.crt?x=1&y=/z#part`)
  assert.deepEqual([one.fileName, one.modified], ['My Rootü.crt', 1_700_000_000])
  assert.equal(await text(one), '/a/My%20Root%C3%BC.crt?x=1&y=/z')
  for (const [path, name] of [
    ['', undefined],
    ['/d/', undefined],
    ['/%2e%2e', undefined],
    ['/a%2Fb', undefined],
    ['/a%00', undefined],
    ['/x%25zz', 'x%zz'],
  ]) {
    const found = await web.get(`${server.url}${path}`)
    assert.equal(found.fileName, name, path)
    await text(found)
  }
})

test('what is no web address is refused in words, a percent sign that escapes nothing by name', async () => {
  await using web = createFetcher({})
  for (const [address, message] of [
    ['http://h/a%zz.txt', /invalid URL escape "%zz"/],
    ['http://h/100%', /invalid URL escape "%"/],
    ['ftp://h/a', /only http and https/],
    ['http://', /only http and https/],
  ] as const) {
    await assert.rejects(
      web.get(address),
      (error) => isBaleError(error, 'INVALID_ARGUMENT') && message.test(error.message),
    )
  }
})

test('a login in the URL is sent to its host only, and is in no error', async () => {
  const echo: Handler = ({ headers }, response) => response.end(headers.authorization ?? 'none')
  await using elsewhere = await planServer(echo)
  await using server = await planServer(({ path, headers }, response) => {
    if (path === '/away') return response.writeHead(302, { location: `${elsewhere.url}/x` }).end()
    if (path === '/here') return response.writeHead(302, { location: '/x' }).end()
    return path === '/missing' ? response.writeHead(404).end() : response.end(headers.authorization ?? 'none')
  })
  const login = `Basic ${Buffer.from('ann:p@ss word').toString('base64')}`
  const base = server.url.replace('://', '://ann:p%40ss%20word@')
  assert.equal(await fetched(`${base}/x`), login)
  assert.equal(await fetched(`${base}/here`), login)
  assert.equal(await fetched(`${base}/away`), 'none')
  await assert.rejects(fetched(`${base}/missing`), (error) => {
    assert.ok(isBaleError(error, 'DOWNLOAD_FAILED'))
    assert.match(error.message, /404 of .*\/missing/)
    assert.doesNotMatch(JSON.stringify([error, error.message, error.details]), /p@ss|p%40ss|ann/)
    return true
  })
})

test('a body that ends by closing the connection is whole, also for a slow reader; one that is cut is an error', async () => {
  const big = Buffer.alloc(8 << 20, 'x')
  const raw = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', (request) => {
      const cut = request.toString().startsWith('GET /cut')
      socket.write(`HTTP/1.0 200 OK\r\n${cut ? `content-length: ${big.length + 1}\r\n` : ''}\r\n`)
      socket.end(big)
    })
  })
  await new Promise<void>((resolve) => raw.listen(0, '127.0.0.1', resolve))
  const { port } = raw.address() as { port: number }
  try {
    await using web = createFetcher({})
    let size = 0
    for await (const chunk of (await web.get(`http://127.0.0.1:${port}/`)).body) {
      size += chunk.length
      // A reader that is slower than the server, which is gone long before the last chunk is read.
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
    assert.equal(size, big.length)
    await assert.rejects(fetched(`http://127.0.0.1:${port}/cut`), (error) => isBaleError(error))
  } finally {
    await new Promise((resolve) => raw.close(resolve))
  }
})

test('a body in gzip is undone, as docker gets it; a damaged one is an error', async () => {
  await using server = await planServer(({ path, headers }, response) => {
    assert.equal(headers['accept-encoding'], 'gzip')
    const bytes = gzipSync('hello')
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(path === '/bad' ? bytes.subarray(0, 12) : bytes)
  })
  assert.equal(await fetched(server.url), 'hello')
  await assert.rejects(fetched(`${server.url}/bad`), (error) => isBaleError(error, 'INVALID_COMPRESSION'))
})

test('any port is a port, and headers may be large', async () => {
  const policy = 'x'.repeat(200_000)
  await using server = await planServer((_request, response) => response.writeHead(200, { policy }).end('large'))
  assert.equal(await fetched(server.url), 'large')
  // Ports that browsers forbid; whoever else uses them here, the connection is tried.
  for (const port of [10080, 6000, 6566, 1]) {
    await assert.rejects(
      fetched(`http://127.0.0.1:${port}/no-such-file`),
      (error) => isBaleError(error, 'DOWNLOAD_FAILED') && /connection|status|closed/.test(error.message),
    )
  }
})

test('http goes through HTTP_PROXY in absolute form, with the login of the proxy and never with it to the server', async () => {
  await using server = await planServer(({ path, headers }, response) =>
    response.end(`${path} ${headers.host} ${headers['proxy-authorization'] ?? '-'}`),
  )
  await using proxy = await proxyServer(server.host, { login: 'u:p@w' })
  const answer = await fetched('http://only-by-proxy.test/f?x=1', { proxy: { http: `http://u:p%40w@${proxy.host}` } })
  assert.equal(proxy.seen[0]?.target, 'http://only-by-proxy.test/f?x=1')
  assert.match(answer, /^\/f\?x=1 only-by-proxy.test /)
  await assert.rejects(fetched('http://only-by-proxy.test/f', { proxy: { http: proxy.host } }), (error) => {
    assert.ok(isBaleError(error, 'DOWNLOAD_FAILED'))
    assert.match(error.message, /the proxy 127.0.0.1:\d+ refuses .* only-by-proxy.test .*407/)
    return true
  })
})

test('https goes through CONNECT, and the certificate is judged as without a proxy', async () => {
  const tls = selfSigned('reg.corp.test')
  await using server = await planServer((_request, response) => response.end('secret'), { tls })
  await using proxy = await proxyServer(server.host, { login: 'u:w' })
  const settings = { proxy: { https: `http://u:w@${proxy.host}` } }
  await assert.rejects(fetched('https://reg.corp.test/x', settings), /certificate of reg.corp.test is not trusted/)
  assert.equal(await fetched('https://reg.corp.test/x', { ...settings, ca: [tls.cert] }), 'secret')
  assert.equal(await fetched('https://reg.corp.test/x', { ...settings, insecure: true }), 'secret')
  await assert.rejects(
    fetched('https://other.corp.test/x', { ...settings, ca: [tls.cert] }),
    /certificate of other.corp.test is not trusted/,
  )
  assert.deepEqual(new Set(proxy.seen.map(({ method }) => method)), new Set(['CONNECT']))
  assert.equal(proxy.seen[0]?.target, 'reg.corp.test:443')
  await assert.rejects(
    fetched('https://reg.corp.test/x', { proxy: { https: proxy.host } }),
    /the proxy .* refuses to connect to reg.corp.test \(407\)/,
  )
})

test('a proxy that is down is named', async () => {
  await assert.rejects(
    fetched('http://r.example/x', { proxy: { http: '127.0.0.1:9' } }),
    /cannot reach r.example through the proxy 127.0.0.1:9: nothing listens there/,
  )
})

test('http and https go through a SOCKS proxy, which looks names up and gets its login; TLS is with the server', async () => {
  const tls = selfSigned('reg.corp.test')
  await using plain = await planServer(({ path, headers }, response) => response.end(`${headers.host}${path}`))
  await using secure = await planServer((_request, response) => response.end('secret'), { tls })
  for (const scheme of ['socks5', 'socks5h']) {
    await using toPlain = await socksServer(plain.host, { login: 'u:p@w' })
    await using toSecure = await socksServer(secure.host)
    const proxy = { http: `${scheme}://u:p%40w@${toPlain.host}`, https: `${scheme}://${toSecure.host}` }
    assert.equal(await fetched('http://only-by-proxy.test/f?x=1', { proxy }), 'only-by-proxy.test/f?x=1')
    assert.equal(await fetched('https://reg.corp.test:8443/x', { proxy, ca: [tls.cert] }), 'secret')
    await assert.rejects(fetched('https://reg.corp.test/x', { proxy }), /certificate of reg.corp.test is not trusted/)
    assert.equal(toPlain.seen[0], 'only-by-proxy.test:80')
    assert.deepEqual(toSecure.seen.slice(0, 2), ['reg.corp.test:8443', 'reg.corp.test:443'])
  }
})

test('a SOCKS proxy that refuses, or is down, is named; its password is not', async () => {
  await using server = await planServer((_request, response) => response.end('never'))
  await using locked = await socksServer(server.host, { login: 'u:right' })
  await using refusing = await socksServer(server.host, { refuse: 2 })
  for (const place of [`u:hunter2@${locked.host}`, locked.host, refusing.host, '127.0.0.1:9']) {
    await assert.rejects(fetched('http://r.example/x', { proxy: { http: `socks5://${place}` } }), (error) => {
      assert.ok(isBaleError(error, 'DOWNLOAD_FAILED'), String(error))
      assert.match(error.message, /r\.example through the proxy 127\.0\.0\.1:\d+/)
      assert.doesNotMatch(error.message, /hunter2/)
      return true
    })
  }
  assert.equal(server.seen.length, 0)
})

test('SSL_CERT_DIR is directories with colons between; a file and what is no certificate there do no harm', async () => {
  await using directory = await temporaryDirectory('bale-authorities')
  const [one, two] = ['one', 'two'].map((name) => join(directory.path, name)) as [string, string]
  for (const path of [one, two, join(two, 'inner')]) mkdirSync(path)
  const servers = ['a.corp.test', 'b.corp.test', 'c.corp.test'].map((name) => ({ name, tls: selfSigned(name) }))
  const [a, b, c] = servers.map(({ tls }) => tls.cert)
  writeFileSync(join(one, 'a.pem'), `some words\n${a}`)
  writeFileSync(join(one, 'garbage'), 'no certificate')
  writeFileSync(join(two, 'b.pem'), b!)
  const file = join(directory.path, 'c.pem')
  writeFileSync(file, c!)
  const directories = `${one}:${join(directory.path, 'missing')}::${two}`
  const reach = async (index: number, authorities: FetcherOptions['authorities']) => {
    const { name, tls } = servers[index]!
    await using server = await planServer((_request, response) => response.end('reached'), { tls })
    await using proxy = await proxyServer(server.host)
    return await fetched(`https://${name}/x`, { proxy: { https: proxy.host }, authorities })
  }
  assert.equal(await reach(0, { directories }), 'reached')
  assert.equal(await reach(1, { directories }), 'reached')
  await assert.rejects(reach(2, { directories }), /certificate of c.corp.test is not trusted/)
  assert.equal(await reach(2, { directories, file }), 'reached')
  assert.equal(await reach(1, { directories, file }), 'reached')
  await assert.rejects(reach(0, { file }), /certificate of a.corp.test is not trusted/)
})

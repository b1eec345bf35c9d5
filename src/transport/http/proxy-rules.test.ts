import assert from 'node:assert/strict'
import { test } from 'node:test'
import { proxyFor } from './proxy-rules.ts'

const proxy = { http: 'http://proxy.test:3128', https: 'proxy.test:3129' }

test('each scheme has its own proxy; one without a scheme is spoken to by http', () => {
  assert.equal(proxyFor(new URL('http://r.example/v2/'), proxy)?.href, 'http://proxy.test:3128/')
  assert.equal(proxyFor(new URL('https://r.example/v2/'), proxy)?.href, 'http://proxy.test:3129/')
  assert.equal(proxyFor(new URL('https://r.example/v2/'), { http: proxy.http }), undefined)
  assert.equal(proxyFor(new URL('https://r.example/v2/'), { https: 'socks5h://p:1080' })?.href, 'socks5h://p:1080')
})

test('this machine is never reached through a proxy', () => {
  for (const host of ['localhost:5000', 'LOCALHOST', '127.0.0.1:5000', '127.9.8.7', '[::1]:5000', '[0:0::1]']) {
    assert.equal(proxyFor(new URL(`http://${host}/v2/`), proxy), undefined, host)
  }
  for (const host of ['localhost.example', '128.0.0.1', 'a.localhost', '[::2]']) {
    assert.notEqual(proxyFor(new URL(`http://${host}/v2/`), proxy), undefined, host)
  }
})

/** Source of the rules: the tests of golang.org/x/net/http/httpproxy. */
const rules: [noProxy: string, url: string, direct: boolean][] = [
  ['example.com', 'http://example.com/', true],
  ['example.com', 'http://EXAMPLE.com:81/', true],
  ['example.com', 'http://a.b.example.com/', true],
  ['example.com', 'http://badexample.com/', false],
  ['.example.com', 'http://example.com/', false],
  ['.example.com', 'http://a.example.com/', true],
  ['*.example.com', 'http://a.example.com/', true],
  ['*.example.com', 'http://example.com/', false],
  ['example.com:80', 'http://example.com/', true],
  ['example.com:443', 'http://example.com/', false],
  ['example.com:5000', 'https://example.com:5000/', true],
  ['a.test, *', 'https://anything.test/', true],
  ['*b.test', 'http://b.test/', false],
  ['10.0.0.0/8', 'http://10.77.8.9:5000/', true],
  ['10.0.0.0/8', 'http://11.0.0.1/', false],
  ['10.0.0.0/33, 10.0.0.0/x', 'http://10.0.0.1/', false],
  ['192.0.2.1', 'http://192.0.2.1:5000/', true],
  ['192.0.2.1:5000', 'http://192.0.2.1/', false],
  ['192.0.2.1:5000', 'http://192.0.2.1:5000/', true],
  ['fd00::/8', 'http://[fd12::1]:5000/', true],
  ['fd12::1', 'http://[fd12:0::1]/', true],
  ['[fd12::1]', 'http://[fd12::1]/', true],
  ['[fd12::1]:5000', 'http://[fd12::1]:5000/', true],
  ['[fd12::1]:5000', 'http://[fd12::1]:5001/', false],
  ['fd00::/8', 'http://10.0.0.1/', false],
  ['0.0.0.0/0', 'http://r.example/', false],
  [',, :80 ,/', 'http://r.example/', false],
]
for (const [noProxy, url, direct] of rules) {
  test(`NO_PROXY=${noProxy}: ${url} ${direct ? 'directly' : 'through the proxy'}`, () => {
    assert.equal(proxyFor(new URL(url), { ...proxy, noProxy }) === undefined, direct)
  })
}

test('a proxy that is no address is refused without a word of its password', () => {
  for (const http of ['http://', 'ftp://proxy.test', 'http://u:se%cret@proxy.test', 'http://u:secret@:x']) {
    assert.throws(
      () => proxyFor(new URL('http://r.example'), { http }),
      (error: Error) => /HTTP_PROXY does not hold/.test(error.message) && !/se.?.?cret/.test(JSON.stringify(error)),
    )
  }
})

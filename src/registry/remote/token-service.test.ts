import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isTokenServiceOf } from './token-service.ts'

test('A14: a token service is the one that is configured, or related to the registry by its name', () => {
  const accepts = (url: string, realm: string, more = {}) =>
    isTokenServiceOf({ url: new URL(url), tokenService: undefined, insecure: false, ...more }, new URL(realm))
  assert.ok(accepts('https://registry-1.docker.io', 'https://auth.docker.io/token'))
  assert.ok(!accepts('https://registry-1.docker.io', 'https://registry-1.docker.io/token'))
  assert.ok(accepts('https://ghcr.io', 'https://ghcr.io/token'))
  assert.ok(accepts('https://registry.gitlab.com', 'https://gitlab.com/jwt/auth'))
  assert.ok(accepts('https://example.org', 'https://auth.example.org/token'))
  assert.ok(!accepts('https://a.example.org', 'https://b.example.org/token'), 'who has b may be another')
  assert.ok(!accepts('https://example.org', 'https://notexample.org/token'))
  assert.ok(!accepts('https://registry.com', 'https://com/token'))
  assert.ok(!accepts('https://ghcr.io', 'http://ghcr.io/token'), 'never in plain text')
  assert.ok(accepts('https://a.org', 'https://login.net/t', { tokenService: 'login.net' }))
  assert.ok(!accepts('https://a.org', 'https://a.org/t', { tokenService: 'login.net' }))
  assert.ok(!accepts('https://a.org', 'https://login.net:8443/t', { tokenService: 'login.net' }))
})

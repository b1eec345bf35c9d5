import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkSigningSecret, newSigningSecret, signatureHeaders } from './signing-secret.ts'

/** Source: the example of the Standard Webhooks specification and its libraries. */
test('a message is signed as the specification says', () => {
  const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
  const body = '{"test": 2432232314}'
  const message = { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', at: 1_614_265_330_999, body }
  assert.deepEqual(signatureHeaders(secret, message), {
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  })
})

test('secrets have 24 to 64 bytes in base64 after their mark, and are not in messages about them', () => {
  const first = newSigningSecret()
  assert.notEqual(first, newSigningSecret())
  const of = (bytes: number) => `whsec_${Buffer.alloc(bytes, 7).toString('base64')}`
  for (const secret of [first, of(24), of(64)]) checkSigningSecret(secret)
  for (const secret of [of(23), of(65), of(32).slice(6), `${of(32)}!`, of(32).replaceAll('=', ''), '']) {
    assert.throws(() => checkSigningSecret(secret), {
      code: 'INVALID_ARGUMENT',
      message: /^not a secret of a hook: whsec_ and 24/,
    })
  }
})

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash, generateKeyPairSync, randomBytes, scryptSync } from 'node:crypto'
import { test } from 'node:test'
import { xsalsa20poly1305 } from '@noble/ciphers/salsa.js'
import { isBaleError } from '#base'
import { generateKeys, type KeyKind, readSigningKey, readVerificationKey, signatureMatches } from './index.ts'

const KINDS: readonly KeyKind[] = ['ecdsa-p256', 'ed25519']
const bytes = Buffer.from('what is signed')

/** A key as the programs of others write it. */
function openssl(args: readonly string[], input?: string): string {
  return execFileSync('openssl', args, { input, encoding: 'utf8', stdio: ['pipe', 'pipe', 'ignore'] })
}

for (const kind of KINDS) {
  test(`a new ${kind} key signs, and its public key alone checks it`, async () => {
    const { privateKey, publicKey } = await generateKeys(kind)
    const key = await readSigningKey(privateKey)
    const trusted = readVerificationKey(publicKey)
    assert.equal(key.public.kind, kind)
    assert.equal(key.public.hint, trusted.hint)
    assert.equal(trusted.pem, publicKey)
    const signature = key.sign(bytes)
    assert.equal(signatureMatches(trusted, bytes, signature), true)
    assert.equal(signatureMatches(trusted, Buffer.from('something else'), signature), false)
    const stranger = readVerificationKey((await generateKeys(kind)).publicKey)
    assert.equal(signatureMatches(stranger, bytes, signature), false)
  })

  test(`a new ${kind} key with a password is encrypted as cosign does, and opens with that password alone`, async () => {
    const { privateKey, publicKey } = await generateKeys(kind, 'correct horse')
    assert.match(privateKey, /^-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n/)
    const key = await readSigningKey(privateKey, { password: 'correct horse' })
    assert.equal(signatureMatches(readVerificationKey(publicKey), bytes, key.sign(bytes)), true)
    await refusesKey(privateKey, { password: 'correct horsf', what: 'bale.key' }, /^the password of bale\.key is wrong/)
    await refusesKey(privateKey, { what: 'bale.key' }, /^bale\.key is encrypted, and no password is given$/)
    await refusesKey(privateKey, { password: '' }, /is wrong/)
  })

  test(`an encrypted PKCS#8 file of OpenSSL (${kind}) opens with its password alone`, async () => {
    const { privateKey } = await generateKeys(kind)
    const encrypted = openssl(['pkcs8', '-topk8', '-passout', 'pass:secret'], privateKey)
    assert.match(encrypted, /^-----BEGIN ENCRYPTED PRIVATE KEY-----/)
    const key = await readSigningKey(encrypted, { password: 'secret' })
    assert.equal(key.public.hint, (await readSigningKey(privateKey)).public.hint)
    await refusesKey(
      encrypted,
      { password: 'wrong', what: 'k' },
      /^the password of k is wrong, or the file is damaged$/,
    )
    await refusesKey(encrypted, {}, /is encrypted, and no password is given/)
  })
}

test('a key in the SEC1 form of OpenSSL is read, plain and encrypted', async () => {
  const plain = openssl(['ecparam', '-name', 'prime256v1', '-genkey'])
  assert.match(plain, /BEGIN EC PARAMETERS[\s\S]*BEGIN EC PRIVATE KEY/)
  assert.equal((await readSigningKey(plain)).public.kind, 'ecdsa-p256')
  const encrypted = openssl(['ec', '-aes256', '-passout', 'pass:secret'], plain)
  assert.equal((await readSigningKey(encrypted, { password: 'secret' })).public.kind, 'ecdsa-p256')
  await refusesKey(encrypted, { password: 'wrong' }, /password of the private key is wrong/)
  await refusesKey(encrypted, {}, /no password is given/)
})

test('a key that cosign encrypted with its older label and cost is read', async () => {
  const { privateKey, publicKey } = await generateKeys('ecdsa-p256')
  const der = Buffer.from(privateKey.replace(/-----[^-]+-----/g, ''), 'base64')
  const [salt, nonce] = [randomBytes(32), randomBytes(24)]
  const params = { N: 32_768, r: 8, p: 1 }
  const box = xsalsa20poly1305(scryptSync('x', salt, 32, { ...params, maxmem: 64 << 20 }), nonce)
  const text = JSON.stringify({
    kdf: { name: 'scrypt', params, salt: salt.toString('base64') },
    cipher: { name: 'nacl/secretbox', nonce: nonce.toString('base64') },
    ciphertext: Buffer.from(box.encrypt(der)).toString('base64'),
  })
  const older = block('ENCRYPTED COSIGN PRIVATE KEY', Buffer.from(text).toString('base64'))
  assert.equal((await readSigningKey(older, { password: 'x' })).public.pem, publicKey)
})

test("the hint of a key is cosign's: the SHA-256 of its SubjectPublicKeyInfo", async () => {
  const { publicKey } = await generateKeys('ed25519')
  const der = Buffer.from(publicKey.replace(/-----[^-]+-----/g, ''), 'base64')
  assert.equal(readVerificationKey(publicKey).hint, createHash('sha256').update(der).digest('base64'))
})

test('keys of other kinds are refused by name', async () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' })
  const ed448 = generateKeyPairSync('ed448')
  const cases: [typeof rsa, RegExp][] = [
    [rsa, /^k is an RSA key; images are signed with ECDSA P-256 or Ed25519$/],
    [p384, /^k is an ECDSA key on the curve secp384r1; /],
    [ed448, /^k is a key of the kind ed448; /],
  ]
  for (const [{ privateKey, publicKey }, message] of cases) {
    await refusesKey(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), { what: 'k' }, message)
    refusesPublic(publicKey.export({ type: 'spki', format: 'pem' }).toString(), message)
  }
  await refusesKey(rsa.privateKey.export({ type: 'pkcs1', format: 'pem' }).toString(), { what: 'k' }, /is an RSA key/)
  refusesPublic(rsa.publicKey.export({ type: 'pkcs1', format: 'pem' }).toString(), /is an RSA key/)
})

test('a file that is not the expected key is told what it is', async () => {
  const { privateKey, publicKey } = await generateKeys('ed25519')
  refusesPublic(privateKey, /^k is a private key; signatures are checked with the public key$/)
  await refusesKey(publicKey, { what: 'k' }, /^k is a public key; images are signed with the private key$/)
  refusesPublic(block('CERTIFICATE'), /^k is a certificate, not a public key$/)
  await refusesKey(block('CERTIFICATE'), { what: 'k' }, /^k is not a private key, but: CERTIFICATE$/)
  await refusesKey(block('OPENSSH PRIVATE KEY'), { what: 'k' }, /key of OpenSSH/)
  refusesPublic(block('PUBLIC KEY'), /^k is damaged: its public key cannot be read$/)
  await refusesKey(block('PRIVATE KEY'), { what: 'k' }, /^k is damaged: its private key cannot be read$/)
  await refusesKey(
    block('ENCRYPTED SIGSTORE PRIVATE KEY'),
    { what: 'k', password: 'x' },
    /^k is not valid|^k is damaged/,
  )
  refusesPublic('ssh-ed25519 AAAA', /^k is not a PEM file$/)
  refusesPublic('', /^k is not a PEM file$/)
  refusesPublic(publicKey.slice(0, -20), /^k is cut short: a PEM block has no end$/)
  refusesPublic(publicKey + publicKey, /^k holds 2 keys or certificates; one key is expected$/)
  refusesPublic('-----BEGIN PUBLIC KEY'.repeat(20_000), /^k is too long/)
  refusesPublic('-----BEGIN ', /^k is cut short/)
})

test('a hostile encrypted key cannot take memory or time without bound, nor be read by another cipher', async () => {
  const { privateKey } = await generateKeys('ed25519', 'x')
  const json = JSON.parse(Buffer.from(privateKey.replace(/-----[^-]+-----/g, ''), 'base64').toString())
  const changed = (change: (value: typeof json) => void) => {
    const value = structuredClone(json)
    change(value)
    return block('ENCRYPTED SIGSTORE PRIVATE KEY', Buffer.from(JSON.stringify(value)).toString('base64'))
  }
  const options = { password: 'x', what: 'k' }
  await refusesKey(
    changed((value) => (value.kdf.params.N = 2 ** 30)),
    options,
    /parameters of scrypt that are not accepted/,
  )
  await refusesKey(
    changed((value) => (value.kdf.params.N = 65_535)),
    options,
    /parameters of scrypt/,
  )
  await refusesKey(
    changed((value) => (value.kdf.params.r = 10_000)),
    options,
    /parameters of scrypt/,
  )
  await refusesKey(
    changed((value) => (value.kdf.params.p = 1000)),
    options,
    /parameters of scrypt/,
  )
  for (const broken of [
    changed((value) => (value.kdf.name = 'pbkdf2')),
    changed((value) => (value.cipher.name = 'none')),
    changed((value) => (value.cipher.nonce = 'AAAA')),
    changed((value) => (value.ciphertext = 'not base64!')),
    changed((value) => delete value.kdf),
  ]) {
    await refusesKey(broken, options, /^k is damaged: it is not an encrypted key of cosign$/)
  }
  const flipped = changed((value) => {
    const sealed = Buffer.from(value.ciphertext, 'base64')
    sealed[sealed.length - 1]! ^= 1
    value.ciphertext = sealed.toString('base64')
  })
  await refusesKey(flipped, options, /^the password of k is wrong, or the file is damaged$/)
})

test('no message about a key holds the password or the key', async () => {
  const { privateKey } = await generateKeys('ecdsa-p256')
  const encrypted = openssl(['pkcs8', '-topk8', '-passout', 'pass:secret'], privateKey)
  await assert.rejects(readSigningKey(encrypted, { password: 'hunter2-hunter2' }), (error: Error) => {
    assert.ok(isBaleError(error, 'INVALID_ARGUMENT'))
    assert.doesNotMatch(JSON.stringify([error.message, error.hint, error.details]), /hunter2|MII|MIG/)
    return true
  })
})

function block(label: string, body = 'AAAA'): string {
  return `-----BEGIN ${label}-----\n${body}\n-----END ${label}-----\n`
}

async function refusesKey(pem: string, options: { password?: string; what?: string }, message: RegExp): Promise<void> {
  await assert.rejects(readSigningKey(pem, options), { code: 'INVALID_ARGUMENT', message })
}

function refusesPublic(pem: string, message: RegExp): void {
  assert.throws(() => readVerificationKey(pem, 'k'), { code: 'INVALID_ARGUMENT', message })
}

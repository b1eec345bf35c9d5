import assert from 'node:assert/strict'
import { createHmac, createSign, type KeyObject, sign } from 'node:crypto'
import { test } from 'node:test'
import { isBaleError } from '#base'
import { type Descriptor, type Digest, MediaType } from '#spec'
import type { TrustedCertificate, VerificationContext } from '../claim/index.ts'
import { AUTHORITY, CODE_SIGNER, makeCertificate, type TestCertificate } from './contract.ts'
import { readCertificates, verifyNotation } from './index.ts'

const subject: Descriptor = {
  mediaType: MediaType.ociManifest,
  digest: `sha256:${'a'.repeat(64)}` as Digest,
  size: 528,
}
const NOW = Date.now()
const iso = (fromNow: number) => new Date(NOW + fromNow).toISOString().replace(/\.\d+Z$/, 'Z')
const DAY = 86_400_000

const root = makeCertificate({ subject: '/C=US/O=Example/CN=Root', extensions: AUTHORITY })
const middle = makeCertificate({
  subject: '/C=US/O=Example/CN=Middle',
  extensions: ['basicConstraints=critical,CA:TRUE,pathlen:0', 'keyUsage=critical,keyCertSign'],
  issuer: root,
})
const leaf = makeCertificate({ subject: '/C=US/O=Example/CN=Releases', extensions: CODE_SIGNER, issuer: middle })
const chain = [leaf, middle, root]
const trusted: TrustedCertificate = { kind: 'certificate', name: 'example.pem', authorities: [root.cert] }

interface Parts {
  chain?: readonly TestCertificate[]
  key?: KeyObject
  protected?: Record<string, unknown>
  crit?: readonly string[]
  payload?: unknown
  /** Bytes of the signed header, of the payload, of the whole. */
  rawHeader?: string
  rawPayload?: string
  change?: (envelope: Record<string, unknown>) => void
  by?: (input: string, key: KeyObject) => Buffer
}

/** An envelope as Notation writes it. */
function envelope(parts: Parts = {}): Buffer {
  const certificates = parts.chain ?? chain
  const key = parts.key ?? certificates[0]!.key
  const header = {
    alg: algorithm(key),
    cty: 'application/vnd.cncf.notary.payload.v1+json',
    crit: parts.crit ?? ['io.cncf.notary.signingScheme'],
    'io.cncf.notary.signingScheme': 'notary.x509',
    'io.cncf.notary.signingTime': iso(-1000),
    ...parts.protected,
  }
  const { digest, mediaType, size } = subject
  const payload = parts.rawPayload ?? JSON.stringify(parts.payload ?? { targetArtifact: { mediaType, digest, size } })
  const encoded = [parts.rawHeader ?? JSON.stringify(header), payload].map((text) =>
    Buffer.from(text).toString('base64url'),
  )
  const signature = (parts.by ?? signed)(encoded.join('.'), key)
  const whole: Record<string, unknown> = {
    payload: encoded[1],
    protected: encoded[0],
    header: {
      x5c: certificates.map(({ cert }) => cert.raw.toString('base64')),
      'io.cncf.notary.signingAgent': 'test/1',
    },
    signature: signature.toString('base64url'),
  }
  parts.change?.(whole)
  return Buffer.from(JSON.stringify(whole))
}

function algorithm({ asymmetricKeyType, asymmetricKeyDetails: details }: KeyObject): string {
  const bits = details?.modulusLength ?? Number(/\d{3}/.exec(details?.namedCurve ?? '')?.[0])
  const strength = { 2048: 256, 3072: 384, 4096: 512, 256: 256, 384: 384, 521: 512 }[bits]
  return `${asymmetricKeyType === 'rsa' ? 'PS' : 'ES'}${strength}`
}

function signed(input: string, key: KeyObject): Buffer {
  const hash = `sha${algorithm(key).slice(2)}`
  if (key.asymmetricKeyType === 'ec') return sign(hash, Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' })
  return createSign(hash)
    .update(input)
    .sign({ key, padding: 6, saltLength: Number(hash.slice(3)) / 8 })
}

function verify(bytes: Buffer, signers: readonly TrustedCertificate[] = [trusted], now = NOW) {
  const context: VerificationContext = {
    subject,
    repository: 'registry.example/team/web',
    requirements: { signers },
    now,
  }
  return verifyNotation(bytes, 1 << 20, context)
}

async function reason(bytes: Buffer, signers?: readonly TrustedCertificate[], now?: number): Promise<string> {
  try {
    await verify(bytes, signers, now)
    return 'fine'
  } catch (error) {
    assert.ok(isBaleError(error), String(error))
    return error.message
  }
}

test('a signature with the certificate of a trusted authority counts, and says who made it and when', async () => {
  const claim = await verify(envelope())
  assert.deepEqual(claim.by, [trusted])
  assert.equal(claim.who, 'C=US, O=Example, CN=Releases')
  assert.equal(claim.signedAt?.toISOString(), new Date(iso(-1000)).toISOString())
  assert.deepEqual(claim.repositories, [undefined])
})

for (const kind of ['P-384', 'P-521', 2048, 3072, 4096] as const) {
  test(`a key of ${kind} signs with the algorithm that goes with it`, async () => {
    const other = makeCertificate({ subject: '/CN=Other', extensions: CODE_SIGNER, issuer: root, kind })
    assert.equal(await reason(envelope({ chain: [other, root] })), 'fine')
    const weaker = kind === 'P-384' || kind === 'P-521' ? 'ES256' : kind === 2048 ? 'PS512' : 'PS256'
    assert.match(
      await reason(envelope({ chain: [other, root], protected: { alg: weaker } })),
      /^has the algorithm \w+, while the key of its certificate goes with \w+$/,
    )
  })
}

test('the signer may be trusted by an authority between, by itself, and only with the right subject', async () => {
  const by = (parts: Partial<TrustedCertificate>) => reason(envelope(), [{ ...trusted, ...parts }])
  assert.equal(await by({ authorities: [middle.cert] }), 'fine')
  assert.equal(await by({ authorities: [leaf.cert] }), 'fine')
  const stranger = makeCertificate({ subject: '/C=US/O=Example/CN=Root', extensions: AUTHORITY })
  assert.match(
    await by({ authorities: [stranger.cert] }),
    /^was made with a certificate of an authority that is not trusted: /,
  )
  assert.equal(await by({ subject: { O: 'Example', CN: 'Releases' } }), 'fine')
  assert.match(
    await by({ subject: { O: 'Example', CN: 'Other' } }),
    /^was made by somebody who is not trusted: C=US, O=Example/,
  )
  assert.match(await by({ subject: { OU: 'x' } }), /^was made by somebody who is not trusted/)
  assert.match(await by({ subject: { constructor: 'x' } }), /^was made by somebody who is not trusted/)
  assert.match(await reason(envelope(), []), /no authority of certificates is trusted/)
  const self = makeCertificate({ subject: '/CN=Self', extensions: CODE_SIGNER })
  assert.equal(await reason(envelope({ chain: [self] }), [{ ...trusted, authorities: [self.cert] }]), 'fine')
  assert.match(
    await reason(envelope({ chain: [leaf] }), [{ ...trusted, authorities: [leaf.cert] }]),
    /its authority is not with it/,
  )
})

test('a subject with two values of one part does not pass for one of them', async () => {
  const two = makeCertificate({ subject: '/O=Example/O=Evil/CN=x', extensions: CODE_SIGNER, issuer: root })
  assert.match(
    await reason(envelope({ chain: [two, root] }), [{ ...trusted, subject: { O: 'Example' } }]),
    /^was made by somebody who is not trusted/,
  )
})

test('S02 an expired certificate is refused, whatever time the signer states', async () => {
  const expired = makeCertificate({
    ...{ subject: '/CN=Expired', extensions: CODE_SIGNER, issuer: root },
    ...{ from: '20240101000000Z', to: '20240201000000Z' },
  })
  const old = envelope({ chain: [expired, root], protected: { 'io.cncf.notary.signingTime': '2024-01-15T00:00:00Z' } })
  assert.match(
    await reason(old),
    /^has a certificate that is not valid when it was made \(it begins at .*\): C=US, O=Example, CN=Root$/,
  )
  const longRoot = makeCertificate({ subject: '/CN=Long', extensions: AUTHORITY, from: '20200101000000Z' })
  const expiredToo = makeCertificate({
    ...{ subject: '/CN=Expired', extensions: CODE_SIGNER, issuer: longRoot },
    ...{ from: '20240101000000Z', to: '20240201000000Z' },
  })
  const authorities = [{ ...trusted, authorities: [longRoot.cert] }]
  const inTime = { 'io.cncf.notary.signingTime': '2024-01-15T00:00:00Z' }
  assert.match(
    await reason(envelope({ chain: [expiredToo, longRoot], protected: inTime }), authorities),
    /^has a certificate that is not valid now \(it expired at 2024-02-01T00:00:00\.000Z\): CN=Expired$/,
  )
  assert.match(
    await reason(envelope({ chain: [expiredToo, longRoot] }), authorities),
    /^has a certificate that is not valid when it was made \(it expired at 2024-02-01/,
  )
  assert.match(await reason(envelope(), [trusted], NOW + 3 * DAY), /not valid now \(it expired at/)
  assert.match(await reason(envelope({ protected: { 'io.cncf.notary.signingTime': iso(DAY) } })), /in the future/)

  // Of a signing authority the time is believed, if such an authority is what is trusted.
  const authentic = envelope({
    chain: [expiredToo, longRoot],
    crit: ['io.cncf.notary.signingScheme', 'io.cncf.notary.authenticSigningTime'],
    protected: {
      'io.cncf.notary.signingScheme': 'notary.x509.signingAuthority',
      'io.cncf.notary.signingTime': undefined,
      'io.cncf.notary.authenticSigningTime': '2024-01-15T00:00:00Z',
    },
  })
  assert.equal(await reason(authentic, [{ ...authorities[0]!, signingAuthority: true }]), 'fine')
  assert.match(await reason(authentic, authorities), /of an authority that is not trusted/)
  assert.match(
    await reason(envelope(), [{ ...trusted, signingAuthority: true }]),
    /of an authority that is not trusted/,
  )
})

test('a signature that was made to count until some time does not count after it', async () => {
  const until = (time: string, crit = ['io.cncf.notary.signingScheme', 'io.cncf.notary.expiry']) =>
    reason(envelope({ crit, protected: { 'io.cncf.notary.expiry': time } }))
  assert.equal(await until(iso(DAY)), 'fine')
  assert.match(await until(iso(-500)), /^has expired: it was made to count until /)
  assert.match(
    await until(iso(DAY), ['io.cncf.notary.signingScheme']),
    /^does not name io\.cncf\.notary\.expiry as critical$/,
  )
  assert.match(await until('tomorrow'), /^is not well formed: its signed header/)
})

test('a tampered payload, header or signature is refused', async () => {
  const flip = (member: string) =>
    reason(
      envelope({
        change: (whole) => {
          const bytes = Buffer.from(whole[member] as string, 'base64url')
          bytes[bytes.length - 3]! ^= 1
          whole[member] = bytes.toString('base64url')
        },
      }),
    )
  assert.match(await flip('payload'), /^was not made with the key of its certificate over this content$/)
  assert.match(await flip('signature'), /^was not made with the key of its certificate over this content$/)
  assert.notEqual(await flip('protected'), 'fine')
  const stranger = makeCertificate({ subject: '/CN=x', extensions: CODE_SIGNER, issuer: root })
  assert.match(await reason(envelope({ key: stranger.key })), /^was not made with the key of its certificate/)
})

test('an algorithm that the key does not go with is refused before anything is computed', async () => {
  for (const alg of ['none', 'HS256', 'RS256', 'EdDSA', 'ES384', 'PS256', 'es256', '']) {
    const by = (input: string) =>
      alg === 'none'
        ? Buffer.from([0])
        : createHmac('sha256', leaf.cert.publicKey.export({ type: 'spki', format: 'pem' }))
            .update(input)
            .digest()
    assert.match(await reason(envelope({ protected: { alg }, by })), /^has the algorithm .* goes with ES256$/, alg)
  }
})

test('another digest, another type or another size is refused', async () => {
  const about = (change: Record<string, unknown>) => {
    const { digest, mediaType, size } = subject
    return reason(envelope({ payload: { targetArtifact: { digest, mediaType, size, ...change } } }))
  }
  assert.match(await about({ digest: `sha256:${'b'.repeat(64)}` }), /^is about sha256:b+, not about sha256:a+$/)
  assert.equal(await about({ mediaType: MediaType.ociIndex }), 'is about an image of another type or size')
  assert.equal(await about({ size: 529 }), 'is about an image of another type or size')
  assert.match(await about({ size: undefined }), /^is not well formed: its payload \(targetArtifact\.size\)$/)
  assert.equal(await about({ annotations: { build: '7' } }), 'fine')
})

test('what is critical must be understood', async () => {
  const critical = (name: string) => ({
    crit: ['io.cncf.notary.signingScheme', name],
    protected: { [name]: 'x' },
  })
  assert.match(
    await reason(envelope(critical('com.example.more'))),
    /^has a critical part that is not understood: com\.example\.more$/,
  )
  assert.match(
    await reason(envelope(critical('io.cncf.notary.verificationPlugin'))),
    /^needs a plugin to be checked: x$/,
  )
  assert.match(await reason(envelope({ crit: [] })), /^is not well formed/)
  assert.match(
    await reason(envelope({ crit: ['io.cncf.notary.expiry'] })),
    /^does not name io\.cncf\.notary\.signingScheme as critical$/,
  )
  assert.match(
    await reason(envelope({ protected: { cty: 'text/plain' } })),
    /^is over text\/plain, not over application\/vnd\.cncf/,
  )
  assert.match(
    await reason(envelope({ protected: { 'io.cncf.notary.signingScheme': 'other' } })),
    /^is not well formed/,
  )
  assert.match(
    await reason(envelope({ protected: { 'io.cncf.notary.signingTime': undefined } })),
    /^does not say when it was made$/,
  )
})

test('S02 certificates that may not sign, or may not make others, are refused', async () => {
  const of = (extensions: readonly string[]) =>
    reason(envelope({ chain: [makeCertificate({ subject: '/CN=x', extensions, issuer: root }), root] }))
  const plain = ['keyUsage=critical,digitalSignature']
  assert.equal(await of(plain), 'fine')
  assert.match(
    await of(['basicConstraints=CA:FALSE']),
    /may not sign \(its key usage is not digitalSignature, critical\)/,
  )
  assert.match(await of(['keyUsage=digitalSignature']), /may not sign \(its key usage/)
  assert.match(await of(['keyUsage=critical,keyEncipherment']), /may not sign \(its key usage/)
  assert.match(await of(['keyUsage=critical,digitalSignature,keyAgreement']), /may not sign \(its key has other uses\)/)
  assert.match(
    await of(['keyUsage=critical,digitalSignature,decipherOnly,keyAgreement']),
    /may not sign \(its key has other uses\)/,
  )
  assert.match(
    await of(['keyUsage=critical,digitalSignature,keyCertSign', 'basicConstraints=critical,CA:TRUE']),
    /it is of an authority/,
  )
  for (const use of ['serverAuth', 'clientAuth', 'emailProtection', 'timeStamping', 'anyExtendedKeyUsage'])
    assert.match(await of([...plain, `extendedKeyUsage=${use}`]), /may not sign \(its extended key usage is /, use)
  const below = makeCertificate({ subject: '/CN=below', extensions: CODE_SIGNER, issuer: leaf })
  assert.match(
    await reason(envelope({ chain: [below, leaf, middle, root] })),
    /that may not make others, but did: C=US, O=Example, CN=Releases|do not follow/,
  )
  const lax = makeCertificate({
    subject: '/CN=lax',
    extensions: ['basicConstraints=critical,CA:TRUE', 'keyUsage=keyCertSign'],
    issuer: root,
  })
  const signer = makeCertificate({ subject: '/CN=signer', extensions: CODE_SIGNER, issuer: lax })
  assert.match(
    await reason(envelope({ chain: [signer, lax, root] })),
    /^has a certificate of an authority whose key usage is not critical: CN=lax$/,
  )
  const second = makeCertificate({ subject: '/CN=second', extensions: AUTHORITY, issuer: middle })
  const deep = makeCertificate({ subject: '/CN=deep', extensions: CODE_SIGNER, issuer: second })
  assert.match(
    await reason(envelope({ chain: [deep, second, middle, root] })),
    /a longer chain of certificates than one of them allows: C=US, O=Example, CN=Middle/,
  )
  assert.match(
    await reason(envelope({ chain: [leaf, root] })),
    /do not follow from one another: C=US, O=Example, CN=Releases/,
  )
  assert.match(await reason(envelope({ chain: [leaf, middle] })), /do not follow from one another|not trusted/)
  const forger = makeCertificate({ subject: '/C=US/O=Example/CN=Middle', extensions: AUTHORITY })
  const forged = makeCertificate({ subject: '/CN=x', extensions: CODE_SIGNER, issuer: forger })
  assert.match(await reason(envelope({ chain: [forged, middle, root] })), /do not follow from one another/)
  const unnamed = makeCertificate({
    subject: '/CN=x',
    extensions: [...CODE_SIGNER, 'authorityKeyIdentifier=none'],
    issuer: forger,
  })
  assert.match(await reason(envelope({ chain: [unnamed, middle, root] })), /do not follow from one another: CN=x$/)
  assert.match(await of(['keyUsage=critical,DER:FF']), /a certificate with a damaged extension: CN=x$/)
  assert.match(await of(['keyUsage=critical,DER:04:00']), /may not sign/)
  const sha1 = makeCertificate({ subject: '/CN=x', extensions: CODE_SIGNER, issuer: root, hash: 'sha1' })
  assert.match(await reason(envelope({ chain: [sha1, root] })), /made with a broken hash/)
  const weak = makeCertificate({ subject: '/CN=x', extensions: CODE_SIGNER, issuer: root, kind: 1024 })
  assert.match(
    await reason(envelope({ chain: [weak, root], key: leaf.key })),
    /has the algorithm ES256, while the key of its certificate cannot be used/,
  )
})

test('what is no flattened JWS is refused: two signatures, foreign members, duplicate members, depth, size', async () => {
  const changed = (change: Parts['change']) => reason(envelope({ change }))
  assert.match(await changed((whole) => (whole['signatures'] = [])), /^is not well formed: the JWS/)
  assert.match(await changed((whole) => (whole['header'] = {})), /^is not well formed: the JWS \(header\.x5c\)$/)
  assert.match(await changed((whole) => (whole['header'] = { x5c: [] })), /^is not well formed/)
  assert.match(
    await changed((whole) => (whole['header'] = { x5c: Array(11).fill(leaf.cert.raw.toString('base64')) })),
    /^is not well formed/,
  )
  assert.match(
    await changed((whole) => (whole['header'] = { x5c: ['AAAA'] })),
    /^has a certificate that cannot be read$/,
  )
  assert.match(await reason(Buffer.from('{"payload":"a","payload":"b"}')), /the key "payload" appears twice/)
  assert.match(
    await reason(envelope({ rawPayload: '{"targetArtifact":{},"targetArtifact":{}}' })),
    /its payload is not valid: the key "targetArtifact" appears twice/,
  )
  const header = { alg: 'ES256', cty: 'application/vnd.cncf.notary.payload.v1+json' }
  const twice = `${JSON.stringify(header).slice(0, -1)},"alg":"ES256"}`
  assert.match(
    await reason(envelope({ rawHeader: twice })),
    /its signed header is not valid: the key "alg" appears twice/,
  )
  assert.match(await reason(envelope({ rawPayload: '['.repeat(1000) })), /nested deeper than 16 levels/)
  await assert.rejects(verify(Buffer.alloc((1 << 20) + 1, 0x20)), { code: 'LIMIT_EXCEEDED' })
  assert.match(await reason(Buffer.from('null')), /^is not well formed/)
})

test('certificates are read from PEM, and told what else a file is', () => {
  assert.equal(readCertificates(root.pem + middle.pem).length, 2)
  const refuses = (pem: string, message: RegExp) =>
    assert.throws(() => readCertificates(pem, 'ca.pem'), { code: 'INVALID_ARGUMENT', message })
  refuses('', /^ca\.pem is not a PEM file$/)
  refuses(root.keyPem, /^ca\.pem holds something other than certificates: PRIVATE KEY$/)
  refuses(
    '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
    /^ca\.pem is damaged: a certificate cannot be read$/,
  )
})

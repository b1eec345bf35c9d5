/** A Sigstore instance of the test's own: an authority, a log, an authority for times. Nothing of it is on the network. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { isBaleError } from '#base'
import { readBytesSync } from '#host/file'
import { type Descriptor, type Digest, MediaType } from '#spec'
import { ArtifactType, SIGNATURE_PREDICATE } from '../attachment/index.ts'
import type { TrustedIdentity, TrustRoot, VerificationContext } from '../claim/index.ts'
import { AUTHORITY, CODE_SIGNER, makeCertificate, type TestCertificate } from '../notation/contract.ts'
import { preAuthenticationEncoding } from './envelope.ts'
import { readTrustRoot, verifyBundle } from './index.ts'

const subject: Descriptor = {
  mediaType: MediaType.ociManifest,
  digest: `sha256:${'a'.repeat(64)}` as Digest,
  size: 528,
}
const ISSUER = 'https://login.example'
const WORKFLOW = 'https://code.example/team/web/.ci/release.yml@refs/tags/v1'
const NOW = Date.now()

interface Log {
  privateKey: KeyObject
  spki: Buffer
  id: Buffer
}

const authority = makeCertificate({ subject: '/O=example/CN=certificates', extensions: AUTHORITY })
const log = newLog()

function newLog(): Log {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const spki = publicKey.export({ type: 'spki', format: 'der' })
  return { privateKey, spki, id: createHash('sha256').update(spki).digest() }
}

/** What the instance would give somebody who logged in. */
function identity(name: string, issuer: string, from = authority): TestCertificate {
  return makeCertificate({
    subject: '/',
    issuer: from,
    extensions: [
      ...CODE_SIGNER,
      `subjectAltName=critical,${name.includes('://') ? 'URI' : 'email'}:${name}`,
      `1.3.6.1.4.1.57264.1.8=ASN1:UTF8String:${issuer}`,
    ],
  })
}

function rootJson(more: Record<string, unknown> = {}): Buffer {
  return Buffer.from(
    JSON.stringify({
      mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
      tlogs: [
        {
          baseUrl: 'https://log.example',
          hashAlgorithm: 'SHA2_256',
          publicKey: {
            rawBytes: log.spki.toString('base64'),
            keyDetails: 'PKIX_ECDSA_P256_SHA_256',
            validFor: { start: '2020-01-01T00:00:00Z' },
          },
          logId: { keyId: log.id.toString('base64') },
        },
      ],
      certificateAuthorities: [authorityJson(authority)],
      ctlogs: [],
      timestampAuthorities: [],
      ...more,
    }),
  )
}

function authorityJson(...chain: readonly TestCertificate[]) {
  return {
    subject: { organization: 'example', commonName: 'x' },
    uri: 'https://authority.example',
    certChain: { certificates: chain.map(({ cert }) => ({ rawBytes: cert.raw.toString('base64') })) },
    validFor: { start: '2020-01-01T00:00:00Z' },
  }
}

interface Parts {
  signer: TestCertificate
  payload?: string
  /** Milliseconds since 1970, as the log states it. */
  integrated?: number
  by?: Log
  /** Without an entry of the log. */
  unlogged?: boolean
  /** DER of a reply to a request for a time stamp. */
  stamp?: (signature: Buffer) => Buffer
}

/** A bundle as cosign writes it after a login. */
function bundle({ signer, payload = statement(), integrated = NOW, by = log, unlogged, stamp }: Parts): Buffer {
  const signature = sign('sha256', preAuthenticationEncoding(ArtifactType.inToto, Buffer.from(payload)), signer.key)
  const timestamps = stamp && { rfc3161Timestamps: [{ signedTimestamp: stamp(signature).toString('base64') }] }
  return Buffer.from(
    JSON.stringify({
      mediaType: ArtifactType.bundle,
      verificationMaterial: {
        certificate: { rawBytes: signer.cert.raw.toString('base64') },
        tlogEntries: unlogged ? [] : [entry(payload, signature, signer.pem, integrated, by)],
        ...(timestamps && { timestampVerificationData: timestamps }),
      },
      dsseEnvelope: {
        payload: Buffer.from(payload).toString('base64'),
        payloadType: ArtifactType.inToto,
        signatures: [{ sig: signature.toString('base64') }],
      },
    }),
  )
}

function statement(more: Record<string, unknown> = {}): string {
  return JSON.stringify({
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ digest: { sha256: subject.digest.slice(7) } }],
    predicateType: SIGNATURE_PREDICATE,
    predicate: {},
    ...more,
  })
}

/** The only entry of a log. Source: Rekor, types of the kind `dsse`; RFC 6962, 2.1; "Checkpoint" of transparency-dev. */
function entry(payload: string, signature: Buffer, pem: string, integrated: number, { privateKey, id }: Log) {
  const spec = {
    envelopeHash: { algorithm: 'sha256', value: '0'.repeat(64) },
    payloadHash: { algorithm: 'sha256', value: createHash('sha256').update(payload).digest('hex') },
    signatures: [{ signature: signature.toString('base64'), verifier: Buffer.from(pem).toString('base64') }],
  }
  const body = Buffer.from(JSON.stringify({ apiVersion: '0.0.1', kind: 'dsse', spec }))
  const integratedTime = Math.floor(integrated / 1000)
  const promise = JSON.stringify({
    body: body.toString('base64'),
    integratedTime,
    logID: id.toString('hex'),
    logIndex: 0,
  })
  const root = createHash('sha256')
    .update(Buffer.concat([Buffer.of(0), body]))
    .digest('base64')
  const note = `log.example\n1\n${root}\n`
  const noted = Buffer.concat([id.subarray(0, 4), sign('sha256', Buffer.from(note), privateKey)])
  return {
    logIndex: '0',
    logId: { keyId: id.toString('base64') },
    kindVersion: { kind: 'dsse', version: '0.0.1' },
    integratedTime: `${integratedTime}`,
    inclusionPromise: { signedEntryTimestamp: sign('sha256', Buffer.from(promise), privateKey).toString('base64') },
    inclusionProof: {
      logIndex: '0',
      rootHash: root,
      treeSize: '1',
      hashes: [],
      checkpoint: { envelope: `${note}\n\u2014 log.example ${noted.toString('base64')}\n` },
    },
    canonicalizedBody: body.toString('base64'),
  }
}

function trusted(root: TrustRoot, who: string, issuer = ISSUER): TrustedIdentity {
  return { kind: 'identity', name: who, root, subject: who, issuer }
}

function verify(bytes: Uint8Array, ...signers: readonly TrustedIdentity[]) {
  const context: VerificationContext = { subject, repository: undefined, requirements: { signers }, now: NOW }
  return verifyBundle(bytes, context)
}

async function reason(bytes: Uint8Array, ...signers: readonly TrustedIdentity[]): Promise<string> {
  try {
    await verify(bytes, ...signers)
    return 'fine'
  } catch (error) {
    assert.ok(isBaleError(error), String(error))
    return error.message
  }
}

test('an identity counts by subject, exact or by pattern, and by login service', async () => {
  const root = await readTrustRoot(rootJson())
  const ann = identity('ann@team.example', ISSUER)
  const claim = await verify(
    bundle({ signer: ann }),
    trusted(root, 'bob@team.example'),
    trusted(root, 'ann@team.example'),
  )
  assert.equal(claim.who, 'ann@team.example (https://login.example)')
  assert.deepEqual(
    claim.by.map(({ name }) => name),
    ['ann@team.example'],
  )
  assert.equal(claim.signedAt?.getTime(), ann.cert.validFromDate.getTime())

  const workflow = bundle({ signer: identity(WORKFLOW, ISSUER) })
  assert.equal(await reason(workflow, trusted(root, WORKFLOW)), 'fine')
  assert.equal(await reason(workflow, trusted(root, 'https://code.example/team/*@refs/tags/*')), 'fine')
  const other = /^was made by https:\/\/code\.example\/team\/web.* \(https:\/\/login\.example\), who is not trusted$/
  assert.match(await reason(workflow, trusted(root, 'https://code.example/other/*')), other)
  assert.match(await reason(workflow, trusted(root, WORKFLOW.slice(0, -1))), other)
  assert.match(await reason(workflow, trusted(root, WORKFLOW.replaceAll('.', '?'))), other)
  assert.match(await reason(workflow, trusted(root, WORKFLOW, 'https://other.example')), other)
  assert.match(await reason(workflow, trusted(root, WORKFLOW, `${ISSUER}/`)), other)
  assert.equal(await reason(workflow), 'was made with a certificate, and no identity is trusted')
})

test('S02 another authority, another log, no log and a wrong time are refused', async () => {
  const root = await readTrustRoot(rootJson())
  const ann = trusted(root, 'ann@team.example')
  const signer = identity('ann@team.example', ISSUER)
  const impostor = makeCertificate({ subject: '/O=example/CN=certificates', extensions: AUTHORITY })
  assert.match(
    await reason(bundle({ signer: identity('ann@team.example', ISSUER, impostor) }), ann),
    /^does not fit: Failed to verify certificate chain$/,
  )
  assert.match(
    await reason(bundle({ signer, by: newLog() }), ann),
    /^does not fit: inclusion promise could not be verified$/,
  )
  assert.match(await reason(bundle({ signer, unlogged: true }), ann), /^does not fit: expected 1 timestamps, got 0$/)
  const day = 86_400_000
  assert.match(
    await reason(bundle({ signer, integrated: NOW + 5 * day }), ann),
    /^does not fit: Failed to verify certificate chain$/,
  )
  assert.match(
    await reason(bundle({ signer, integrated: NOW - 5 * day }), ann),
    /^does not fit: Failed to verify certificate chain$/,
  )
})

test('a log that is required by the root is required of the bundle: certificates in a public log too', async () => {
  const ctlogs = (JSON.parse(rootJson().toString()) as { tlogs: unknown[] }).tlogs
  const root = await readTrustRoot(rootJson({ ctlogs }))
  const signer = identity('ann@team.example', ISSUER)
  assert.match(
    await reason(bundle({ signer }), trusted(root, 'ann@team.example')),
    /^does not fit: expected 1 SCTs, got 0$/,
  )
})

test('a tampered statement, signature or log entry is refused', async () => {
  const root = await readTrustRoot(rootJson())
  const ann = trusted(root, 'ann@team.example')
  const signer = identity('ann@team.example', ISSUER)
  const changed = (change: (json: ReturnType<typeof JSON.parse>) => void) => {
    const json = JSON.parse(bundle({ signer }).toString())
    change(json)
    return reason(Buffer.from(JSON.stringify(json)), ann)
  }
  assert.equal(await changed(() => undefined), 'fine')
  const other = Buffer.from(statement({ predicate: { x: 1 } })).toString('base64')
  assert.match(
    await changed((json) => (json.dsseEnvelope.payload = other)),
    /^does not fit: DSSE payload hash mismatch$/,
  )
  const signature = sign('sha256', Buffer.from('x'), signer.key).toString('base64')
  assert.match(await changed((json) => (json.dsseEnvelope.signatures[0].sig = signature)), /^does not fit: /)
  const stranger = identity('bob@team.example', ISSUER)
  const bob = stranger.cert.raw.toString('base64')
  assert.match(
    await changed((json) => (json.verificationMaterial.certificate.rawBytes = bob)),
    /^does not fit: signature verification failed$/,
  )
  const entryOf = (json: { verificationMaterial: { tlogEntries: Record<string, unknown>[] } }) =>
    json.verificationMaterial.tlogEntries[0]!
  assert.match(
    await changed((json) => (entryOf(json)['integratedTime'] = `${Math.floor(NOW / 1000) - 1}`)),
    /inclusion promise could not be verified/,
  )
  assert.match(await changed((json) => (entryOf(json)['canonicalizedBody'] = 'AAAA')), /^does not fit: /)
  assert.match(
    await changed((json) => delete entryOf(json)['inclusionPromise']),
    /^does not fit: expected 1 timestamps, got 0$/,
  )
  assert.match(
    await changed((json) => json.verificationMaterial.tlogEntries.push(entryOf(json))),
    /^does not fit: duplicate/,
  )
})

test('what holds for a key holds for an identity: digest, type, one signature', async () => {
  const root = await readTrustRoot(rootJson())
  const ann = trusted(root, 'ann@team.example')
  const signer = identity('ann@team.example', ISSUER)
  const of = (more: Record<string, unknown>) => reason(bundle({ signer, payload: statement(more) }), ann)
  assert.match(
    await of({ subject: [{ digest: { sha256: 'b'.repeat(64) } }] }),
    /^is about sha256:b+, not about sha256:a+$/,
  )
  assert.match(
    await of({ subject: [{ digest: { sha512: 'a'.repeat(64) } }] }),
    /^is about sha512:a+, not about sha256:a+$/,
  )
  assert.match(await of({ subject: [] }), /^holds something other than a statement of in-toto \(subject\)$/)
  assert.match(
    await of({ predicateType: 'https://spdx.dev/Document' }),
    /^is a statement of the type https:\/\/spdx\.dev\/Document, not of /,
  )
})

test('an instance without logs proves the time by time stamps', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'bale-stamps-'))
  try {
    const stampRoot = makeCertificate({ subject: '/CN=times', extensions: AUTHORITY })
    const stamper = makeCertificate({
      subject: '/CN=clock',
      extensions: ['keyUsage=critical,digitalSignature', 'extendedKeyUsage=critical,timeStamping'],
      issuer: stampRoot,
    })
    const private_ = { tlogs: [], timestampAuthorities: [authorityJson(stamper, stampRoot)] }
    const root = await readTrustRoot(rootJson(private_))
    const signer = identity('ann@team.example', ISSUER)
    const ann = trusted(root, 'ann@team.example')
    const stamp = (over: Buffer) => timeStamp(directory, over, stamper)
    assert.equal(await reason(bundle({ signer, unlogged: true, stamp }), ann), 'fine')
    assert.match(await reason(bundle({ signer, unlogged: true }), ann), /expected 1 timestamps, got 0/)
    assert.match(
      await reason(bundle({ signer, unlogged: true, stamp: () => stamp(Buffer.from('something else')) }), ann),
      /^does not fit: timestamp could not be verified$/,
    )
    assert.match(
      await reason(bundle({ signer, unlogged: true, stamp: () => Buffer.from('x') }), ann),
      /^does not fit: /,
    )
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
})

/** What a time stamping authority answers (RFC 3161), by openssl. */
function timeStamp(directory: string, over: Buffer, { keyPem, pem }: TestCertificate): Buffer {
  const at = (name: string) => join(directory, name)
  const files = { data: over, 'key.pem': keyPem, 'cert.pem': pem, serial: '01\n' }
  for (const [name, content] of Object.entries(files)) writeFileSync(at(name), content)
  writeFileSync(
    at('ts.cnf'),
    `[tsa]\ndefault_tsa = clock\n[clock]\nserial = ${at('serial')}\ndefault_policy = 1.2.3.4\ndigests = sha256\nsigner_digest = sha256\n`,
  )
  const run = (...args: string[]) => execFileSync('openssl', ['ts', ...args], { stdio: 'ignore' })
  run('-query', '-data', at('data'), '-sha256', '-cert', '-out', at('query'))
  run(
    ...[
      '-reply',
      '-config',
      at('ts.cnf'),
      '-queryfile',
      at('query'),
      '-signer',
      at('cert.pem'),
      '-inkey',
      at('key.pem'),
    ],
    '-out',
    at('reply'),
  )
  return readBytesSync(at('reply'))
}

test('a file that is no trusted root, or trusts nobody, is told apart', async () => {
  const refuses = (bytes: Uint8Array, message: RegExp) =>
    assert.rejects(readTrustRoot(bytes, 'root.json'), { code: 'INVALID_ARGUMENT', message })
  await refuses(Buffer.from('{}'), /^root\.json is not a trusted root of Sigstore \(trusted_root\.json\)$/)
  await refuses(Buffer.from('null'), /^root\.json is not a trusted root/)
  await refuses(Buffer.from('{"a":1,"a":1}'), /^root\.json is not valid: the key "a" appears twice$/)
  await refuses(rootJson({ certificateAuthorities: [] }), /^root\.json names no authority that gives certificates$/)
  await refuses(
    rootJson({ tlogs: [{ publicKey: { rawBytes: 'AAAA', keyDetails: 'NONE' } }] }),
    /^root\.json is damaged: /,
  )
  await assert.rejects(readTrustRoot(Buffer.alloc((4 << 20) + 1, 0x20)), { code: 'LIMIT_EXCEEDED' })
})

import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { readTextSync } from '#host/file'
import { type TestBale, testBale } from '../kit/bale.ts'
import { baleRegistry, type TestRegistry } from '../kit/registry.ts'
import { tarEntry, tarOf } from '../kit/tar.ts'
import { cannotRun, prepared } from './prepared.ts'

/** An image of a distribution that no mirror knows, with two packages and one of npm. */
async function importSmall(bale: TestBale, name: string): Promise<void> {
  const text = (path: string, content: string) => ({ entry: tarEntry(path), text: content })
  const tar = join(bale.directory, 'small.tar')
  writeFileSync(
    tar,
    await tarOf([
      text('etc/os-release', 'ID=alpine\nVERSION_ID=3.19.1\nPRETTY_NAME="Alpine Linux v3.19"\n'),
      text(
        'lib/apk/db/installed',
        'P:busybox\nV:1.36.1-r0\nA:x86_64\no:busybox\n\nP:musl\nV:1.2.4-r2\nA:x86_64\no:musl\nF:lib\nR:libc.so\n',
      ),
      text('lib/libc.so', 'not a library'),
      text('app/node_modules/left-pad/package.json', '{"name":"left-pad","version":"1.0.0"}'),
    ]),
  )
  await bale.run(['import', tar, name])
}

/** A bundle that knows one vulnerability of busybox and none of npm. */
async function installAdvisories(bale: TestBale): Promise<void> {
  const secdb = join(bale.directory, 'secdb.json')
  const pkg = { name: 'busybox', secfixes: { '1.36.1-r2': ['CVE-2023-42366'], '0': ['CVE-2022-1'] } }
  writeFileSync(secdb, JSON.stringify({ distroversion: 'v3.19', reponame: 'main', packages: [{ pkg }] }))
  await bale.run(['advisories', 'build', '-q', '--from', `alpine-secdb=${secdb}`])
}

async function withRegistry(work: (bale: TestBale, registry: TestRegistry) => Promise<void>): Promise<void> {
  await using bale = await testBale()
  await using registry = await baleRegistry(bale)
  await bale.run(['login', '-u', 'ann', '--password-stdin', registry.host], { input: 'correct-horse-battery' })
  await work(bale, registry)
}

test('a scan says what is vulnerable, what is not covered, and what does not count', async () => {
  await using bale = await testBale()
  await importSmall(bale, 'small:1')
  await installAdvisories(bale)
  const scan = (...more: string[]) => bale.try(['scan', '-q', ...more, 'small:1'])
  const { code, stdout } = await scan()
  assert.equal(code, 0)
  assert.match(
    stdout,
    /^small:1: Alpine Linux v3\.19, 3 packages, 66 % covered\nPARTIAL: 1 package has no advisory data\n/,
  )
  assert.match(stdout, /1 vulnerability in 1 package: 1 unknown; 1 with a fix/)
  assert.match(stdout, /UNKNOWN +CVE-2023-42366 +busybox +1\.36\.1-r0 +1\.36\.1-r2 +0/)
  assert.doesNotMatch(stdout, /CVE-2022-1/)
  assert.equal((await scan('--exit-code', '3')).code, 3)
  assert.equal((await scan('--exit-code', '3', '--severity', 'high')).code, 0)
  const ignore = join(bale.directory, 'ignore.yaml')
  writeFileSync(ignore, 'ignore:\n  - id: CVE-2023-42366\n    reason: not reachable here\n')
  const ignored = await scan('--exit-code', '3', '--ignore-file', ignore)
  assert.equal(ignored.code, 0)
  assert.match(ignored.stdout, /does not count \(ignore file\): not reachable here/)
  const document = JSON.parse((await scan('--format', 'json')).stdout)
  assert.equal(document.findings[0].id, 'CVE-2023-42366')
  for (const format of ['sarif', 'cyclonedx', 'html']) {
    const report = join(bale.directory, `report.${format}`)
    assert.equal((await scan('--format', format, '-o', report)).code, 0)
    assert.match(readTextSync(report), /CVE-2023-42366/)
  }
})

test('an image is the same in the store, in a registry and in a tar file', async () => {
  await withRegistry(async (bale, { host }) => {
    const name = `${host}/team/small:1`
    await importSmall(bale, name)
    await bale.run(['push', '-q', name])
    const tar = join(bale.directory, 'saved.tar')
    await bale.run(['save', '-o', tar, name])
    const packages = async (of: string) =>
      JSON.parse(await bale.run(['sbom', '-q', of])).components.map((one: { purl?: string }) => one.purl)
    const expected = await packages(name)
    assert.equal(expected.length, 4)
    assert.deepEqual(await packages(tar), expected)
    await bale.run(['rmi', name])
    assert.deepEqual(await packages(`docker://${name}`), expected)
    const gone = await bale.try(['scan', name])
    assert.equal(gone.code, 1)
    assert.match(gone.stderr, /docker:\/\//)
  })
})

test('why names the layer, the step and the package of a file', async () => {
  await using bale = await testBale()
  await importSmall(bale, 'small:1')
  const found = await bale.run(['why', '-q', 'small:1', '/lib/libc.so'])
  assert.match(found, /^\/lib\/libc\.so of small:1: file, 13B\nadded by layer 0 \(sha256:/)
  assert.match(found, /package musl 1\.2\.4-r2 \(apk\)/)
  const none = await bale.try(['why', '-q', 'small:1', '/nothing'])
  assert.deepEqual([none.code, /has no \/nothing/.test(none.stderr)], [1, true])
})

test('signatures: made, found, verified; another key and another digest do not count', async () => {
  await withRegistry(async (bale, { host }) => {
    const name = `${host}/team/small:1`
    await importSmall(bale, name)
    await bale.run(['push', '-q', name])
    const cwd = bale.directory
    await bale.run(['key', 'generate', '--no-password', 'release'], { cwd })
    await bale.run(['key', 'generate', '--password-stdin', '--type', 'ed25519', 'other'], {
      cwd,
      input: 'secret word\n',
    })
    assert.equal((await bale.try(['key', 'generate', '--no-password', 'release'], { cwd })).code, 1)
    const verify = (key: string) => bale.try(['verify', '--key', `${key}.pub`, name], { cwd })
    assert.match((await verify('release')).stderr, /no signature is attached/)
    await bale.run(['sign', '--key', 'release.key', name], { cwd })
    assert.equal((await verify('release')).code, 0)
    assert.equal((await verify('other')).code, 1)
    await bale.run(['sign', '--key', 'other.key', '--form', 'simple', name], {
      cwd,
      env: { BALE_KEY_PASSWORD: 'secret word' },
    })
    assert.equal((await verify('other')).code, 0)
    const wrong = await bale.try(['sign', '--key', 'other.key', name], { cwd, env: { BALE_KEY_PASSWORD: 'wrong' } })
    assert.match(wrong.stderr, /password/)
    await bale.run(['sbom', '-q', '--attach', `docker://${name}`])
    await bale.run(['sbom', '-q', '-o', join(cwd, 'sbom.json'), name])
    await bale.run(['attest', '--key', 'release.key', '--type', 'cyclonedx', '--predicate', 'sbom.json', name], { cwd })
    assert.equal((await bale.try(['verify', '--key', 'release.pub', '--type', 'cyclonedx', name], { cwd })).code, 0)
    const tree = await bale.run(['tree', name])
    assert.match(tree, /sha256-[0-9a-f]{64}\.sig/)
    assert.match(tree, /cyclonedx/)
    // The tag moves to an image that nobody signed.
    await bale.run(['import', join(cwd, 'small.tar'), '--message', 'another', name])
    await bale.run(['push', '-q', name])
    assert.equal((await verify('release')).code, 1)
  })
})

test('a bundle of advisories travels through a registry, signed; an older one is refused', async () => {
  await withRegistry(async (bale, { host }) => {
    const cwd = bale.directory
    await bale.run(['key', 'generate', '--no-password', 'security'], { cwd })
    await bale.run(['key', 'generate', '--no-password', 'other'], { cwd })
    await installAdvisories(bale)
    const name = `${host}/team/advisories:1`
    await bale.run(['advisories', 'push', '-q', name])
    await bale.run(['sign', '--key', 'security.key', name], { cwd })
    await using other = await testBale()
    await other.run(['login', '-u', 'ann', '--password-stdin', host], { input: 'correct-horse-battery' })
    const pull = (key: string) => other.try(['advisories', 'pull', '-q', '--key', `${key}.pub`, name], { cwd })
    const refused = await pull('other')
    assert.equal(refused.code, 1)
    assert.match(refused.stderr, /not verified/)
    assert.equal((await other.try(['advisories', 'inspect'])).code, 1)
    assert.equal((await pull('security')).code, 0)
    assert.match(await other.run(['advisories', 'inspect']), /Alpine:v3\.19/)
    await installAdvisories(other)
    const older = await pull('security')
    assert.equal(older.code, 1)
    assert.match(older.stderr, /older/)
  })
})

test('S04 a policy decides what is pulled, loaded, built on and run', { skip: cannotRun }, async () => {
  await using place = await prepared()
  const { bale } = place
  await using registry = await baleRegistry(bale)
  const cwd = bale.directory
  const { host } = registry
  await bale.run(['login', '-u', 'ann', '--password-stdin', host], { input: 'correct-horse-battery' })
  await bale.run(['key', 'generate', '--no-password', 'release'], { cwd })
  const [signed, unsigned] = [`${host}/team/signed:1`, `${host}/team/unsigned:1`]
  for (const name of [signed, unsigned]) {
    await bale.run(['tag', 'busybox:1', name])
    // Other bytes, so that each has a digest of its own.
    writeFileSync(join(cwd, 'Dockerfile'), `FROM busybox:1\nLABEL of=${name}\n`)
    await bale.run(['build', '-q', '-t', name, cwd])
    await bale.run(['push', '-q', name])
  }
  await bale.run(['sign', '--key', 'release.key', signed], { cwd })
  const archive = join(cwd, 'unsigned.tar')
  await bale.run(['save', '-o', archive, unsigned])
  await bale.run(['rmi', signed, unsigned])
  writeFileSync(
    join(cwd, 'policy.yaml'),
    `version: 1\ndefault: refuse\nrules:\n  - name: team\n    images: ['${host}/team/*']\n    require:\n      - key: release.pub\n`,
  )
  const env = { BALE_SIGNATURE_POLICY: join(cwd, 'policy.yaml') }
  const attempt = (...args: string[]) => bale.try(args, { env, cwd })
  const refusedBy = async (rule: RegExp, ...args: string[]) => {
    const { code, stderr } = await attempt(...args)
    assert.notEqual(code, 0, args.join(' '))
    assert.match(stderr, rule, args.join(' '))
  }
  await refusedBy(/refused by the rule team \(.*policy\.yaml:\d+:\d+\)/, 'pull', unsigned)
  await refusedBy(/rule team/, 'run', '--rm', unsigned, 'true')
  await refusedBy(/rule team/, 'load', '-i', archive)
  writeFileSync(join(cwd, 'Dockerfile'), `FROM ${unsigned}\nRUN true\n`)
  await refusedBy(/rule team/, 'build', '-q', '.')
  await bale.run(['save', '--format', 'oci-dir', '-o', join(cwd, 'layout'), 'busybox:1'])
  writeFileSync(join(cwd, 'Dockerfile'), `FROM oci-layout://${join(cwd, 'layout')}\nRUN true\n`)
  await refusedBy(/no rule allows it/, 'build', '-q', '.')
  assert.deepEqual(await attempt('run', '-q', '--rm', signed, 'true'), { code: 0, stdout: '', stderr: '' })
  // Judged when it came in: it is used without its registry.
  await registry[Symbol.asyncDispose]()
  assert.equal((await attempt('run', '--rm', signed, 'true')).code, 0)
  writeFileSync(join(cwd, 'Dockerfile'), `FROM ${signed}\nRUN true\n`)
  assert.equal((await attempt('build', '-q', '-t', 'own:1', '.')).code, 0)
  assert.equal((await attempt('run', '--rm', 'own:1', 'true')).code, 0)
  // What was here before there was a policy.
  await refusedBy(/no rule allows it/, 'run', '--rm', 'busybox:1', 'true')
  const gone = await bale.try(['run', '--rm', signed, 'true'], {
    env: { BALE_SIGNATURE_POLICY: join(cwd, 'none.yaml') },
  })
  assert.notEqual(gone.code, 0)
  assert.match(gone.stderr, /cannot read the signature policy/)
})

test('verbs about trust answer bad input in words', async () => {
  await using bale = await testBale()
  await importSmall(bale, 'small:1')
  for (const [args, words] of [
    [['scan', 'none:1'], /No such image|docker:\/\//],
    [['scan', './none.tar'], /no such file/],
    [['scan', '--ignore-file', 'none.yaml', 'small:1'], /no such file/],
    [['scan', '--exit-code', '999', 'small:1'], /from 0 to 255/],
    [['sbom', '--attach', 'small:1'], /in no registry/],
    [['sign', 'localhost:1/x'], /--key/],
    [['verify', 'localhost:1/x'], /whose signature counts/],
    [['attest', '--key', 'k', 'localhost:1/x'], /--predicate/],
    [['advisories', 'build', '--from', 'nonsense'], /KIND/],
    [['advisories', 'import', 'none.sqlite'], /none\.sqlite/],
    [['why', 'small:1', 'none'], /has no none/],
  ] as const) {
    const { code, stderr } = await bale.try(args)
    assert.equal(code, 1, args.join(' '))
    assert.match(stderr, words, args.join(' '))
    assert.doesNotMatch(stderr, /unexpected failure/, args.join(' '))
  }
})

test('V01 nothing of an image is run or written to this machine by a scan', async () => {
  await using bale = await testBale()
  const outside = join(bale.directory, 'outside')
  const entries = await tarOf([
    tarEntry('etc/os-release', { type: 'symlink', linkName: '/etc/passwd' }),
    tarEntry('var/lib/dpkg/status', { type: 'symlink', linkName: outside }),
    {
      entry: tarEntry('app/node_modules/x/package.json'),
      text: '{"name":"x","version":"1.0.0","scripts":{"install":"touch outside"}}',
    },
  ])
  writeFileSync(join(bale.directory, 'links.tar'), entries)
  writeFileSync(outside, 'Package: secret\nStatus: install ok installed\nVersion: 1\n')
  await bale.run(['import', join(bale.directory, 'links.tar'), 'links:1'])
  const scanned = await bale.run(['scan', '-q', '--format', 'json', 'links:1'])
  assert.doesNotMatch(scanned, /secret|root:/)
  assert.equal(JSON.parse(scanned).packages.length, 1)
})

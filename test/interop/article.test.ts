/**
 * The command lines of an introduction to container images, typed with `docker` replaced by `bale` and the names of its
 * registries by a registry on this machine; once against bale's own and once against Debian's docker-registry.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { execute, type TestBale, testBale } from '../kit/bale.ts'
import { busyboxMissing, busyboxTar } from '../kit/busybox.ts'
import { baleRegistry, dockerRegistry, dockerRegistryMissing, type TestRegistry } from '../kit/registry.ts'
import { treeOfExport } from './tree.ts'

const PASSWORD = 'correct-horse-battery'
const impossible = process.getuid?.() === 0 ? (busyboxMissing() ?? false) : 'needs root'
const options = { skip: impossible, timeout: 180_000 }

test("the article's command lines, with bale's registry", options, async (context) => {
  await using bale = await testBale()
  await using registry = await baleRegistry(bale, PASSWORD)
  await article(context, bale, registry)
})

test("the article's command lines, with Debian's docker-registry", options, async (context) => {
  if (dockerRegistryMissing) return context.skip(dockerRegistryMissing)
  await using bale = await testBale()
  await using registry = await dockerRegistry(bale.directory)
  await article(context, bale, registry)
})

/** Runs a command line in the test's directory, as a shell does; fails the test when it fails. */
type Type = (line: string, input?: string) => Promise<string>

function typist(bale: TestBale): Type {
  const env = environmentOf(bale)
  return async (line, input) => {
    const outcome = await execute('/bin/bash', ['-c', `set -o pipefail; ${line}`], { cwd: bale.directory, env, input })
    assert.equal(outcome.code, 0, `${line}\n${outcome.stderr}${outcome.stdout}`)
    return outcome.stdout.trim()
  }
}

async function article(context: TestContext, bale: TestBale, registry: TestRegistry): Promise<void> {
  const type = typist(bale)
  const httpd = `${registry.host}/team/httpd:latest`
  const webserver = `${registry.host}/team/webserver:latest`

  await context.test('login', { skip: existsSync('/usr/bin/script') ? false : 'needs /usr/bin/script' }, async () => {
    const said = await converse(bale, `bale login ${registry.host}`, { 'Username: ': 'ann', 'Password: ': PASSWORD })
    assert.match(said, /Login Succeeded/)
    assert.doesNotMatch(said, new RegExp(PASSWORD))
  })
  await type(`bale login -u ann --password-stdin ${registry.host}`, PASSWORD)
  await prepare(type, busyboxTar(bale.directory), httpd)

  await context.test('manifest inspect prints the index with its platforms', async () => {
    const index = JSON.parse(await type(`bale manifest inspect ${httpd}`))
    assert.equal(index.schemaVersion, 2)
    const platforms = index.manifests.map(
      (one: { digest: string; size: number; platform: { os: string; architecture: string } }) => {
        assert.match(one.digest, /^sha256:[0-9a-f]{64}$/)
        assert.ok(one.size > 0)
        return `${one.platform.os}/${one.platform.architecture}`
      },
    )
    assert.deepEqual(platforms, ['linux/amd64', 'linux/arm64'])
  })

  await type(`bale pull ${httpd}`)
  await type(`bale tag ${httpd} httpd:latest`)
  await context.test('image inspect prints the configuration as JSON', async () => {
    const [image] = JSON.parse(await type('bale image inspect httpd'))
    assert.match(image.Id, /^sha256:[0-9a-f]{64}$/)
    assert.deepEqual(image.RepoTags.toSorted(), ['httpd:latest', httpd])
    assert.equal(image.RepoDigests.length, 1)
    assert.deepEqual(image.Config.ExposedPorts, { '80/tcp': {} })
    assert.deepEqual(image.Config.Cmd, ['httpd', '-f', '-p', '80'])
    assert.equal(image.RootFS.Type, 'layers')
    assert.equal(image.RootFS.Layers.length, 1)
    assert.ok(!Number.isNaN(Date.parse(image.Metadata.LastTagTime)))
  })

  await type("bale run -d --network none --name httpd-container httpd sh -c 'echo page > /tmp/page; sleep 1000'")
  const before = await treeOf(bale, 'httpd-container', 'before')
  await context.test('export > httpd.tar, import httpd.tar: the same tree, one layer', async () => {
    await type('bale export httpd-container > httpd.tar')
    const id = await type('bale import httpd.tar')
    assert.match(id, /^sha256:[0-9a-f]{64}$/)
    assert.equal(await type(`bale run --rm --network none ${id} cat /tmp/page`), 'page')
    const container = await type(`bale create --network none ${id} sh`)
    assert.deepEqual(await treeOf(bale, container, 'imported'), before)
    await type(`bale rm ${container} && bale rmi ${id}`)
  })

  await context.test('save httpd:latest > httpd.tar, load < httpd.tar: the same image', async () => {
    const id = await type("bale image inspect -f '{{.Id}}' httpd:latest")
    await type('bale save httpd:latest > httpd.tar')
    await using other = await testBale()
    const typeThere = typist(other)
    assert.equal(await typeThere(`bale load < '${bale.directory}/httpd.tar'`), 'Loaded image: httpd:latest')
    assert.equal(await typeThere("bale image inspect -f '{{.Id}}' httpd:latest"), id)
  })

  await context.test('tag webserver:latest …, push', async () => {
    await type('bale tag httpd:latest webserver:latest')
    await type(`bale tag webserver:latest ${webserver}`)
    assert.match(await type(`bale push ${webserver}`), /^latest: digest: sha256:[0-9a-f]{64} size: \d+$/m)
  })

  await context.test('commit webserver-container …, push, pull elsewhere and run', async () => {
    await type('bale rename httpd-container webserver-container')
    const id = await type(`bale commit webserver-container ${webserver}`)
    assert.match(await type(`bale push ${webserver}`), /Layer already exists/)
    await using other = await testBale()
    const typeThere = typist(other)
    await typeThere(`bale login -u ann --password-stdin ${registry.host}`, PASSWORD)
    await typeThere(`bale pull ${webserver}`)
    assert.equal(await typeThere(`bale image inspect -f '{{.Id}}' ${webserver}`), id)
    assert.equal(await typeThere(`bale run --rm --network none ${webserver} cat /tmp/page`), 'page')
    const container = await typeThere(`bale create --network none ${webserver}`)
    assert.deepEqual(await treeOf(other, container, 'pulled'), before)
  })
}

function environmentOf(bale: TestBale): Record<string, string> {
  const bin = join(import.meta.dirname, '../../bin')
  return { ...bale.environment, PATH: `${bin}:${dirname(process.execPath)}:${bale.environment['PATH']}` }
}

/** Runs a command line on a terminal of its own and answers its questions; what the terminal showed. */
function converse(bale: TestBale, line: string, answers: Record<string, string>): Promise<string> {
  const env = environmentOf(bale)
  const open = new Map(Object.entries(answers))
  return new Promise((done, fail) => {
    const child = spawn('script', ['-qec', line, '/dev/null'], { env, stdio: ['pipe', 'pipe', 'inherit'] })
    let shown = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      shown += text
      for (const [question, answer] of open) {
        if (!shown.includes(question) || !open.delete(question)) continue
        child.stdin.write(`${answer}\n`)
      }
    })
    child.on('error', fail)
    child.on('close', (code) => (code === 0 ? done(shown) : fail(new Error(`${line} ended with ${code}: ${shown}`))))
  })
}

/** The registry gets an index of two platforms, as a public image has. */
async function prepare(type: Type, tar: string, name: string): Promise<void> {
  const parts = ['amd64', 'arm64'].map((architecture) => `${name.replace(':latest', '')}:${architecture}`)
  for (const part of parts) {
    const platform = `linux/${part.split(':').at(-1)}`
    const changes = `-c 'CMD ["httpd","-f","-p","80"]' -c 'EXPOSE 80' -c 'ENV ON=${platform}'`
    await type(`bale import --platform ${platform} ${changes} '${tar}' ${part} && bale push -q ${part}`)
  }
  await type(
    `bale manifest create ${name} ${parts.join(' ')} && bale manifest push ${name} && bale manifest rm ${name}`,
  )
  await type(`bale rmi ${parts.join(' ')}`)
}

function treeOf(bale: TestBale, container: string, directory: string): Promise<string[]> {
  const program = join(import.meta.dirname, '../../bin/bale')
  return treeOfExport(join(bale.directory, `tree-${directory}`), `'${program}' export ${container}`, bale.environment)
}

/** What other programs of the machine are configured with holds on the command line: files, proxies, downloads by URL. */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { testBale } from '../kit/bale.ts'
import { planServer } from '../kit/planned-server.ts'
import { proxyServer } from '../kit/proxy-server.ts'
import { publish, scriptedRegistry } from '../kit/scripted-registry.ts'
import { tarEntry, tarOf } from '../kit/tar.ts'
import { cannotRun } from './prepared.ts'

const options = { skip: cannotRun }
const hello = await tarOf([tarEntry('hello')])

test(
  'registries.conf leads a pull elsewhere, blocks one, and is shown by info; a broken drop-in is a warning with its line',
  options,
  async () => {
    await using registry = await scriptedRegistry()
    await using bale = await testBale({
      environment: (directory) => ({
        CONTAINERS_REGISTRIES_CONF: join(directory, 'registries.conf'),
        XDG_CONFIG_HOME: join(directory, 'xdg'),
      }),
    })
    publish(registry, '1', { tars: [hello] })
    const conf = bale.environment['CONTAINERS_REGISTRIES_CONF']!
    writeFileSync(
      conf,
      `[[registry]]\nprefix = "hub.example/team"\nlocation = "${registry.host}/mirrored"\n[[registry]]\nlocation = "bad.example"\nblocked = true\n[aliases]\n"tool" = "${registry.host}/tool"\n`,
    )
    const dropIns = join(bale.environment['XDG_CONFIG_HOME']!, 'containers/registries.conf.d')
    mkdirSync(dropIns, { recursive: true })
    writeFileSync(join(dropIns, 'broken.conf'), '\n[[registry\n')
    const pulled = await bale.try(['pull', 'hub.example/team/web:1'])
    assert.equal(pulled.code, 0, pulled.stderr)
    assert.match(pulled.stderr, /WARNING: .*broken.conf:2: not TOML/)
    assert.ok(registry.requests.some(({ url }) => url.startsWith('/v2/mirrored/web/')))
    await bale.run(['pull', '-q', 'tool:1'])
    assert.deepEqual((await bale.run(['images', '--format', '{{.Repository}}:{{.Tag}}'])).trim().split('\n').sort(), [
      'hub.example/team/web:1',
      'tool:1',
    ])
    const blocked = await bale.try(['pull', 'bad.example/x'])
    assert.equal(blocked.code, 1)
    assert.match(blocked.stderr, /bad.example is blocked by .*registries.conf/)
    const info = await bale.run(['info'])
    assert.match(info, /bad.example: blocked/)
    assert.ok(info.includes(conf))
  },
)

test(
  'proxies hold for import as for pulls, never for this machine; a password in a URL is in no output',
  options,
  async () => {
    await using server = await planServer(({ path, headers }, response) =>
      path.startsWith('/rootfs') && headers.authorization ? response.end(hello) : response.writeHead(404).end(),
    )
    await using proxy = await proxyServer(server.host)
    await using bale = await testBale({ environment: () => ({ HTTP_PROXY: `http://${proxy.host}`, http_proxy: '' }) })
    await bale.run(['import', 'http://ann:secretword@only-by-proxy.test/rootfs.tar', 'x:1'])
    assert.equal(proxy.seen[0]?.target, 'http://only-by-proxy.test/rootfs.tar')
    assert.doesNotMatch(await bale.run(['history', '--no-trunc', 'x:1']), /secretword/)
    const missing = await bale.try(['import', `http://ann:secretword@${server.host}/gone`, 'y:1'])
    assert.notEqual(missing.code, 0)
    assert.match(missing.stderr, /404/)
    assert.doesNotMatch(missing.stderr, /secretword/)
    assert.equal(proxy.seen.length, 1)
  },
)

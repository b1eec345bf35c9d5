import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { copyImage, createMemoryPlace, putImage, type RandomImage, randomImage } from '#image'
import { hexOf } from '#spec'
import { createLayoutTarget, openLayout } from '../layout/index.ts'
import { createArchiveTarget } from './archive-target.ts'
import { openArchive } from './open-archive.ts'

const directory = mkdtempSync(join(tmpdir(), 'bale-interop-'))
after(() => rmSync(directory, { recursive: true, force: true }))

const NAME = 'docker.io/library/sample:1.0'
const missing = (path: string) => (existsSync(path) ? false : `${path} is not installed`)
const skopeoMissing = missing('/usr/bin/skopeo')

writeFileSync(join(directory, 'policy.json'), '{"default":[{"type":"insecureAcceptAnything"}]}')
const skopeo = (...args: string[]) =>
  execFileSync('/usr/bin/skopeo', ['--policy', join(directory, 'policy.json'), ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { HOME: directory, PATH: '/usr/bin:/bin', XDG_RUNTIME_DIR: directory },
  })

async function savedArchive(
  file: string,
  images: [RandomImage, string?][],
  format: 'docker' | 'oci' = 'docker',
): Promise<string> {
  const path = join(directory, file)
  await using target = await createArchiveTarget(path, { format })
  for (const [image, name] of images) await putImage(target, image, name)
  await target.finish()
  return path
}

async function imageIds(path: string): Promise<[id: string, names: string[], tars: string[]][]> {
  await using archive = await openArchive(path)
  const found: [string, string[], string[]][] = []
  for (const { names, descriptor } of archive.images()) {
    const place = createMemoryPlace()
    await copyImage(archive, place, { name: descriptor.digest })
    const manifest = JSON.parse(Buffer.from(place.manifests.get(descriptor.digest)!).toString())
    const config = JSON.parse(Buffer.concat(await Array.fromAsync(await place.blob(manifest.config))).toString())
    found.push([manifest.config.digest, names, config.rootfs.diff_ids])
  }
  return found
}

for (const compression of ['none', 'gzip', 'zstd'] as const)
  test(`skopeo reads what is saved, as docker archive and as OCI archive: layers ${compression}`, {
    skip: skopeoMissing,
  }, async () => {
    const image = await randomImage({ compression, layers: 3 })
    const path = await savedArchive(`bale-${compression}.tar`, [[image, NAME]])
    const diffIds = image.config.rootfs.diff_ids
    // skopeo 1.9 cannot read zstd layers in docker archives; it can in OCI archives.
    if (compression !== 'zstd') {
      const docker = JSON.parse(skopeo('inspect', `docker-archive:${path}`))
      assert.deepEqual(docker.Layers, diffIds)
      const config = JSON.parse(skopeo('inspect', '--config', `docker-archive:${path}:sample:1.0`))
      assert.deepEqual(config.rootfs.diff_ids, diffIds)
    }
    const oci = JSON.parse(skopeo('inspect', `oci-archive:${path}`))
    assert.equal(oci.Digest, image.manifestDescriptor.digest)
    skopeo('copy', `oci-archive:${path}`, `dir:${join(directory, `dir-${compression}`)}`)
  })

test('what skopeo copies to docker and OCI archives is read: same image ID', { skip: skopeoMissing }, async () => {
  const image = await randomImage({ layers: 3 })
  const path = await savedArchive('from.tar', [[image, NAME]])
  const docker = join(directory, 'skopeo-docker.tar')
  skopeo('copy', `oci-archive:${path}`, `docker-archive:${docker}:other/name:2`)
  assert.deepEqual(await imageIds(docker), [
    [image.configDescriptor.digest, ['docker.io/other/name:2'], image.config.rootfs.diff_ids],
  ])
  const oci = join(directory, 'skopeo-oci.tar')
  skopeo('copy', `oci-archive:${path}`, `oci-archive:${oci}:example.com/x:3`)
  assert.deepEqual(await imageIds(oci), [
    [image.configDescriptor.digest, ['example.com/x:3'], image.config.rootfs.diff_ids],
  ])
})

test('layouts travel both ways between bale and skopeo', { skip: skopeoMissing }, async () => {
  const image = await randomImage({ layers: 2 })
  const layout = await createLayoutTarget(join(directory, 'layout'))
  await putImage(layout, image, 'v1')
  assert.equal(JSON.parse(skopeo('inspect', `oci:${layout.directory}:v1`)).Digest, image.manifestDescriptor.digest)
  skopeo('copy', `oci:${layout.directory}:v1`, `oci:${join(directory, 'copied')}:v2`)
  const source = await openLayout(join(directory, 'copied'))
  const place = createMemoryPlace()
  const result = await copyImage(source, place, { name: 'v2', targetName: 'x' })
  assert.equal(result.descriptor.digest, image.manifestDescriptor.digest)
  // Both images stay when skopeo writes beside bale and bale beside skopeo.
  skopeo('copy', `oci:${join(directory, 'copied')}:v2`, `oci:${layout.directory}:v3`)
  const other = await randomImage({ seed: 9 })
  await putImage(await createLayoutTarget(layout.directory), other, 'v4')
  const names = (await (await openLayout(layout.directory)).images()).map((one) => one.refName).sort()
  assert.deepEqual(names, ['v1', 'v3', 'v4'])
})

test('umoci unpacks a layout that bale wrote', { skip: missing('/usr/bin/umoci') }, async () => {
  const image = await randomImage({ layers: 2 })
  const layout = await createLayoutTarget(join(directory, 'for-umoci'))
  await putImage(layout, image, 'v1')
  assert.match(execFileSync('/usr/bin/umoci', ['list', '--layout', layout.directory], { encoding: 'utf8' }), /^v1$/m)
  const bundle = join(directory, 'bundle')
  const unpacked = spawnSync('/usr/bin/umoci', ['unpack', '--rootless', '--image', `${layout.directory}:v1`, bundle])
  assert.equal(unpacked.status, 0, String(unpacked.stderr))
  assert.ok(existsSync(join(bundle, 'rootfs', 'layer-1', 'file-0')))
})

const podmanMissing = missing('/usr/bin/podman') || (process.getuid?.() === 0 ? false : 'needs root')

test('podman loads what is saved, several images at once, and bale reads what podman saves', {
  skip: podmanMissing,
}, async () => {
  const [first, second] = [await randomImage({ seed: 3 }), await randomImage({ seed: 4, compression: 'none' })]
  const path = await savedArchive('podman.tar', [
    [first, NAME],
    [second, 'localhost:5000/team/two:latest'],
  ])
  writeFileSync(
    join(directory, 'containers.conf'),
    '[containers]\ndefault_ulimits = ["nofile=1024:1024","nproc=1024:1024"]\n[engine]\nruntime="runc"\ncgroup_manager="cgroupfs"\nevents_logger="none"\n',
  )
  const ids = () =>
    podman('images', '--no-trunc', '--format', '{{.ID}} {{.Repository}}:{{.Tag}}').trim().split('\n').sort()
  const podman = (...args: string[]) =>
    execFileSync(
      '/usr/bin/podman',
      ['--root', join(directory, 'root'), '--runroot', join(directory, 'runroot'), '--storage-driver', 'vfs', ...args],
      {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
        env: {
          HOME: directory,
          PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
          CONTAINERS_CONF: join(directory, 'containers.conf'),
          XDG_RUNTIME_DIR: directory,
        },
      },
    )
  const load = (file: string) => podman('load', '--signature-policy', join(directory, 'policy.json'), '-i', file)
  const [firstId, secondId] = [first, second].map((one) => `sha256:${hexOf(one.configDescriptor.digest)}`)
  // One image: podman takes the OCI index. Several: docker's manifest.json, of which it calls short names localhost/….
  const SHORT = 'localhost/sample:1.0'
  load(await savedArchive('podman-one.tar', [[first, NAME]]))
  assert.deepEqual(ids(), [`${firstId} ${NAME}`])
  podman('rmi', '-f', NAME)
  load(path)
  assert.deepEqual(ids(), [`${firstId} ${SHORT}`, `${secondId} localhost:5000/team/two:latest`].sort())
  for (const format of ['docker-archive', 'oci-archive']) {
    const saved = join(directory, `podman-${format}.tar`)
    podman('save', '--signature-policy', join(directory, 'policy.json'), '--format', format, '-o', saved, SHORT)
    const [[id, names, diffIds]] = (await imageIds(saved)) as [[string, string[], string[]]]
    assert.deepEqual([names, diffIds], [[SHORT], first.config.rootfs.diff_ids])
    // It came by docker's manifest.json: for an OCI archive podman writes the config anew, and with it a new ID.
    if (format === 'docker-archive') assert.equal(id, first.configDescriptor.digest)
  }
  const many = join(directory, 'podman-many.tar')
  podman('save', '-m', '-o', many, SHORT, 'localhost:5000/team/two:latest')
  assert.deepEqual(
    (await imageIds(many)).map(([, names, diffIds]) => [names, diffIds]).sort(),
    [
      [[SHORT], first.config.rootfs.diff_ids],
      [['localhost:5000/team/two:latest'], second.config.rootfs.diff_ids],
    ].sort(),
  )
})

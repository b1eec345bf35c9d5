import assert from 'node:assert/strict'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { makeIndex, putImage, randomImage } from '#image'
import { type Descriptor, parseReference } from '#spec'
import { openRepository } from '#transport'
import { noCredentials } from '#transport/credentials'
import { attach, createSigner, generateKeys, readSigningKey } from '#trust/signature'
import { startRegistry } from '../../../test/kit/registry-client.ts'
import { temporaryDirectory } from '../../../test/kit/temporary.ts'
import { openBuildMachine } from '../build-machine.ts'
import { readConfig } from '../context/config.ts'
import { createContext } from '../context/context.ts'
import { pullImage } from '../pull.ts'
import { readAdmission } from './admission.ts'
import { openAdmission } from './open-admission.ts'

/** A machine and a registry, with a key whose signatures the policies require. */
async function scene() {
  await using stack = new AsyncDisposableStack()
  const { path: directory } = stack.use(await temporaryDirectory())
  const registry = stack.use(await startRegistry({ anonymous: 'push' }))
  const name = parseReference(`${registry.address}/team/web`)
  const repository = stack.use(openRepository(name, { credentials: noCredentials }))
  const { privateKey, publicKey } = await generateKeys('ed25519')
  const signer = createSigner(await readSigningKey(privateKey))
  await writeFile(join(directory, 'release.pub'), publicKey)
  const policy = join(directory, 'policy.yaml')
  const config = {
    ...readConfig({ root: join(directory, 'root'), run: join(directory, 'run') }),
    signaturePolicy: policy,
  }
  const context = stack.use(createContext({ config }))
  const { platform } = context
  const sign = (subject: Descriptor) => attach(repository, signer.sign(subject, { repository: name }))
  let seed = 0
  const kept = stack.move()
  return {
    context,
    registry,
    policy,
    writePolicy: (children = false) =>
      writeFile(policy, `version: 1\ndefault: { require: [{ key: release.pub }], children: ${children} }\n`),
    /** The name of an image that is the only one of its index. */
    async pushed(signed: { image?: boolean; index?: boolean }): Promise<string> {
      const tag = `t${++seed}`
      const image = await randomImage({ seed, platform })
      await putImage(repository, image)
      const index = makeIndex([{ ...image.manifestDescriptor, platform }])
      await repository.putManifest(index.descriptor, index.bytes)
      await repository.tag(tag, index)
      if (signed.image) await sign(image.manifestDescriptor)
      if (signed.index) await sign(index.descriptor)
      return `${registry.address}/team/web:${tag}`
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}

test('an image of the store counts as signed by its own signature, and by that of the index that it was pulled with', async () => {
  await using one = await scene()
  const { context } = one
  /** As before there was a policy. */
  const pulled = async (name: string) => {
    await writeFile(one.policy, 'version: 1\ndefault: allow\n')
    await pullImage(context, name)
    return (await context.store()).images.resolve(name)
  }
  const own = await pulled(await one.pushed({ image: true }))
  const byIndex = await pulled(await one.pushed({ index: true }))
  const neither = await pulled(await one.pushed({}))
  const admissionOf = async (children: boolean) => {
    await one.writePolicy(children)
    return readAdmission(context, one.policy)
  }
  const admission = await admissionOf(false)
  await admission.used(own, {})
  await admission.used(byIndex, {})
  await assert.rejects(admission.used(neither, {}), {
    code: 'UNTRUSTED',
    message: /no signature is attached; nor is its index: .*no signature is attached$/,
  })
  const strict = await admissionOf(true)
  await strict.used(own, {})
  await assert.rejects(strict.used(byIndex, {}), { code: 'UNTRUSTED' })

  await one.registry[Symbol.asyncDispose]()
  // What was admitted needs no registry, also in another process; nothing else was admitted with it.
  await (await admissionOf(true)).used(own, {})
  await assert.rejects((await admissionOf(true)).used(byIndex, {}), { code: 'REGISTRY_UNREACHABLE' })
})

test('a build judges all its base images by the policy that it began with', async () => {
  await using one = await scene()
  const { context } = one
  const { platform } = context
  const [here, signed, unsigned] = [
    await one.pushed({ index: true }),
    await one.pushed({ index: true }),
    await one.pushed({}),
  ]
  await one.writePolicy()
  await pullImage(context, here)
  await using machine = await openBuildMachine(context, await openAdmission(context))
  await rm(one.policy)
  const find = (name: string) => machine.findImage(name, { platform, pull: false })
  assert.equal((await find(here)).wasLocal, true)
  assert.equal((await find(signed)).wasLocal, false)
  await assert.rejects(find(unsigned), { code: 'UNTRUSTED' })
  await assert.rejects(pullImage(context, signed), {
    code: 'INVALID_ARGUMENT',
    message: /cannot read the signature policy/,
  })
})

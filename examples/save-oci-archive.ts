/**
 * Fetches an image for all its platforms from a registry into an OCI archive,
 * without a store: `save-oci-archive.ts NAME FILE`. A login comes from USERNAME and PASSWORD.
 */
import { copyImage } from 'bale/image'
import { fullName, parseReference, withDefaultTag } from 'bale/spec'
import { createArchiveTarget, fixedCredential, noCredentials, openRepository } from 'bale/transport'

const [name, file] = process.argv.slice(2)
if (!name || !file) throw new Error('usage: save-oci-archive.ts NAME FILE')

const reference = withDefaultTag(parseReference(name))
const { USERNAME: username, PASSWORD: password } = process.env
const credentials =
  username && password ? fixedCredential(reference.registry, { kind: 'password', username, password }) : noCredentials
await using repository = openRepository(reference, { credentials })
// The file appears under its name only when it is complete.
await using archive = await createArchiveTarget(file)
const options = { name: reference.digest ?? reference.tag, targetName: fullName(reference), all: true }
const { descriptor } = await copyImage(repository, archive, options)
await archive.finish()
console.log(`${file} has ${descriptor.digest}`)

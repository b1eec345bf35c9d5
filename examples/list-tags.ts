/** Lists the tags of a repository with a login from the environment: `USERNAME=… PASSWORD=… list-tags.ts REPOSITORY`. */
import { parseReference } from 'bale/spec'
import { fixedCredential, noCredentials, openRepository } from 'bale/transport'

const [name = 'docker.io/library/debian'] = process.argv.slice(2)
const { USERNAME: username, PASSWORD: password } = process.env
const reference = parseReference(name)
const credentials =
  username && password ? fixedCredential(reference.registry, { kind: 'password', username, password }) : noCredentials

await using repository = openRepository(reference, { credentials })
for await (const tag of repository.tags()) console.log(tag)

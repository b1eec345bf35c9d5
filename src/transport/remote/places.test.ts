/** A repository keeps what every place of images promises; bale's own registry is its other end. */

import { fixedCredential } from '#transport/credentials'
import { startRegistry } from '../../../test/kit/registry-client.ts'
import { imagePlaceContract } from '../../image/contract.ts'
import { openRepository } from './open-repository.ts'

imagePlaceContract('repository of a registry', async () => {
  const opened = new AsyncDisposableStack()
  const { address, registry } = opened.use(await startRegistry({ anonymous: 'none' }))
  await registry.users.add('ann', 'password-of-ann')
  await registry.users.grant('ann', 'team/**', 'admin')
  const credentials = fixedCredential(address, { kind: 'password', username: 'ann', password: 'password-of-ann' })
  const open = () => openRepository({ registry: address, repository: 'team/web' }, { credentials })
  const target = opened.use(open())
  return {
    target,
    openSource: async () => opened.use(open()),
    names: ['one', 'two'],
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
})

/** The checks of the distribution specification, by each way to log in. */
import { distributionSuite } from '../../test/kit/distribution-checks.ts'
import { startRegistry, type TestRegistry } from '../../test/kit/registry-client.ts'
import { selfSigned } from '../../test/kit/self-signed.ts'

const ANN = 'ann:password-of-ann'

distributionSuite('distribution: anonymous pushes', async () => {
  const registry = await startRegistry({ anonymous: 'push' })
  return { ...registry, url: `http://${registry.address}`, login: 'anonymous' }
})

distributionSuite('distribution: Basic', async () => {
  const registry = await closedRegistry()
  return { ...registry, url: `http://${registry.address}`, login: { basic: ANN } }
})

distributionSuite('distribution: tokens, over TLS', async () => {
  const tls = selfSigned('localhost')
  const registry = await closedRegistry({ host: 'localhost', tls })
  return {
    ...registry,
    url: `https://localhost:${new URL(`https://${registry.address}`).port}`,
    login: { token: ANN },
    ca: tls.cert,
  }
})

/** Nobody gets in without a login; ann may do everything below the checks' namespace. */
async function closedRegistry(options: Parameters<typeof startRegistry>[0] = {}): Promise<TestRegistry> {
  const registry = await startRegistry({ anonymous: 'none', ...options })
  await registry.registry.users.add('ann', 'password-of-ann')
  await registry.registry.users.grant('ann', 'conformance/**', 'admin')
  return registry
}

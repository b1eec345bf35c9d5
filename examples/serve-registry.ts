/**
 * Serves a registry for one user until the process is told to end: `serve-registry.ts DIRECTORY PORT`. Port 0 takes a free
 * one. The password of the user `ann` comes from the variable PASSWORD.
 */
import { once } from 'node:events'
import { openRegistryAdmin, serveRegistry } from 'bale/registry'

const [directory, port = '5000'] = process.argv.slice(2)
const password = process.env['PASSWORD']
if (!directory || !password) throw new Error('usage: PASSWORD=… serve-registry.ts DIRECTORY PORT')

await using admin = await openRegistryAdmin({ directory })
await admin.users.add('ann', password)
await admin.users.grant('ann', 'team/*', 'write')

await using served = await serveRegistry({ directory, port: Number(port) })
console.log(served.url)
await Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')])

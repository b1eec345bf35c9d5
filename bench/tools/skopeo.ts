import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { basic, firstLine, script, type Tool } from './tool.ts'

/** skopeo fetches into an OCI layout, umoci unpacks: what people do without an engine. */
export async function skopeoTool(directory: string): Promise<Tool> {
  for (const program of ['skopeo', 'umoci'])
    if (!existsSync(`/usr/bin/${program}`)) throw new Error(`the Debian package ${program} is not installed`)
  mkdirSync(directory, { recursive: true })
  const env = basic()
  const unpack = `umoci unpack --image ${directory}/layout:one ${directory}/bundle`
  return {
    name: 'skopeo+umoci',
    version: await firstLine(['/usr/bin/skopeo', '--version'], env),
    env,
    about: ['/usr/bin/skopeo', '--version'],
    pull: (image) =>
      script(`skopeo copy -q --src-tls-verify=false docker://${image} oci:${directory}/layout:one; ${unpack}`),
    save: (_image, file) => script(`skopeo copy -q oci:${directory}/layout:one docker-archive:${file}:x/y:1`),
    remove: () => script(`rm -rf ${directory}/layout ${directory}/bundle`),
    async [Symbol.asyncDispose]() {
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

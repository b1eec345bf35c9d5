import { baleTool } from './bale.ts'
import { dockerTool } from './docker.ts'
import { podmanTool } from './podman.ts'
import { skopeoTool } from './skopeo.ts'
import type { Tool } from './tool.ts'
import { trivyTool } from './trivy.ts'

export { baleEnvironment, installedBale, removeContainers } from './bale.ts'
export { basic, script, type Tool } from './tool.ts'

/** How each tool is made ready in a directory of its own, by the name that an option gives it. It throws where it is not installed. */
export const TOOLS: ReadonlyMap<string, (directory: string) => Promise<Tool>> = new Map([
  ['bale', baleTool],
  ['podman', podmanTool],
  ['docker', dockerTool],
  ['skopeo', skopeoTool],
  ['trivy', trivyTool],
])

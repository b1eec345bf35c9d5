import { join } from 'node:path'
import type { EngineContext } from '../context/context.ts'

/** Where the bundle of advisories of this machine is. */
export const bundleDirectory = ({ config }: Pick<EngineContext, 'config'>) => join(config.root, 'trust', 'advisories')

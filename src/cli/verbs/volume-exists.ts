import { existsVerb } from '../verb/exists.ts'

export const verb = existsVerb('volume', 'VOLUME_NOT_FOUND', (engine, name) => engine.volumes.inspect(name))

import { existsVerb } from '../verb/exists.ts'

export const verb = existsVerb('container', 'CONTAINER_NOT_FOUND', (engine, name) => engine.containers.inspect(name))

import { existsVerb } from '../verb/exists.ts'

export const verb = existsVerb('network', 'NETWORK_NOT_FOUND', (engine, name) => engine.networks.inspect(name))

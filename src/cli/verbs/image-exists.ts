import { existsVerb } from '../verb/exists.ts'

export const verb = existsVerb('image', 'IMAGE_NOT_FOUND', (engine, name) => engine.images.inspect(name))

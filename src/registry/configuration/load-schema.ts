import type { ConfigurationSchema } from './configuration-schema.ts'

/** The JSON Schema (2020-12) of a configuration file, for editors and for checks without bale. */
export async function configurationSchema(): Promise<ConfigurationSchema> {
  const { fileSchema } = await import('./configuration-schema.ts')
  return fileSchema()
}

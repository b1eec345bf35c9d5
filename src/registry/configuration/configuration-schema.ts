import { toJsonSchema } from '@valibot/to-json-schema'
import { RULES } from './rules.ts'
import { FILE } from './schema.ts'

/** The parts of JSON Schema that a configuration file's has. */
export interface ConfigurationSchema {
  $schema?: string
  title?: string
  description?: string
  type?: string
  properties?: Record<string, ConfigurationSchema>
  required?: string[]
  additionalProperties?: boolean | ConfigurationSchema
  items?: ConfigurationSchema
  anyOf?: ConfigurationSchema[]
  allOf?: object[]
  const?: unknown
  enum?: unknown[]
  pattern?: string
  minimum?: number
  maximum?: number
  default?: unknown
  examples?: unknown[]
}

/** What valibot's schema and the rules say, as JSON Schema (2020-12). */
export function fileSchema(): ConfigurationSchema {
  const schema = toJsonSchema(FILE, {
    target: 'draft-2020-12',
    typeMode: 'input',
    ignoreActions: ['raw_transform', 'check'],
  }) as ConfigurationSchema
  for (const rule of RULES) {
    const group = schemaOf(schema, rule.group)!
    group.allOf = [...(group.allOf ?? []), rule.schema]
  }
  return schema
}

/** Of the value of a key (`listen.tls`, `limits.requests[0].most`), or of the file. Undefined when there is no such key. */
export function schemaOf(file: ConfigurationSchema, key: string): ConfigurationSchema | undefined {
  let schema: ConfigurationSchema | undefined = file
  for (const [name] of key.matchAll(/[^.[\]]+|\[\d+\]/g)) {
    schema = name.startsWith('[') ? schema?.items : schema && propertiesOf(schema)[name]
  }
  return schema
}

/** Keys that a group may have. None for what is no group. */
export function propertiesOf({ properties, anyOf = [] }: ConfigurationSchema): Record<string, ConfigurationSchema> {
  return properties ?? anyOf.find((one) => one.properties)?.properties ?? {}
}

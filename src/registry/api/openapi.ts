import { toJsonSchema } from '@valibot/to-json-schema'
import * as v from 'valibot'
import { ERROR_CODES } from '#base'
import type { Operation } from './operation.ts'
import { OPERATIONS } from './operations.ts'

/** The parts of JSON Schema (2020-12) that the description has. */
export interface ApiSchema {
  $ref?: string
  type?: string
  description?: string
  properties?: Record<string, ApiSchema>
  required?: string[]
  items?: ApiSchema
  oneOf?: ApiSchema[]
  enum?: unknown[]
  [keyword: string]: unknown
}

interface ApiContent {
  content?: Record<string, { schema: ApiSchema }>
}

/** One operation, as OpenAPI describes it. */
export interface DescribedOperation {
  operationId: string
  tags: string[]
  summary: string
  /** Who may call it. */
  description: string
  parameters: { name: string; in: 'path' | 'query'; required: boolean; description?: string; schema: ApiSchema }[]
  requestBody?: { required: true } & ApiContent
  responses: Record<string, { description: string } & ApiContent>
}

/** An OpenAPI 3.1 document. */
export interface OpenApi {
  openapi: '3.1.1'
  info: { title: string; version: string; description: string; license: { name: string; identifier: string } }
  servers: { url: string }[]
  security: Record<string, string[]>[]
  paths: Record<string, Record<string, DescribedOperation>>
  components: { schemas: Record<string, ApiSchema>; securitySchemes: Record<string, object> }
}

const problem = v.object({
  type: v.literal('about:blank'),
  title: v.pipe(v.string(), v.description('The status in words')),
  status: v.number(),
  detail: v.pipe(v.string(), v.description('What failed, on which thing')),
  instance: v.pipe(v.string(), v.description('ID of the request, as X-Request-Id and the registry’s log have it')),
  code: v.pipe(v.picklist(Object.keys(ERROR_CODES)), v.description('For programs')),
  hint: v.optional(v.string()),
  next: v.optional(v.looseObject({ act: v.string() })),
  errors: v.optional(
    v.pipe(
      v.array(
        v.object({
          pointer: v.optional(v.pipe(v.string(), v.description('JSON Pointer into the body'))),
          parameter: v.optional(v.pipe(v.string(), v.description('Of the path or the query'))),
          detail: v.string(),
        }),
      ),
      v.description('All that is wrong with the request'),
    ),
  ),
})

const ABOUT =
  'Administration of a registry of bale. Parts of a path are percent-encoded: the team acme/web is acme%2Fweb. Times are milliseconds since 1970.'

export function openApi(): OpenApi {
  const paths: OpenApi['paths'] = {}
  for (const [name, operation] of Object.entries(OPERATIONS)) {
    paths[operation.path] = { ...paths[operation.path], [operation.method.toLowerCase()]: described(name, operation) }
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'Registry of bale',
      version: '1',
      description: ABOUT,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/api/v1' }],
    security: [{ basic: [] }, { bearer: [] }],
    paths,
    components: {
      schemas: { Problem: jsonSchema(problem) },
      securitySchemes: {
        basic: { type: 'http', scheme: 'basic', description: 'Name and password, or an access token as the password' },
        bearer: {
          type: 'http',
          scheme: 'bearer',
          description: 'A token that /token issued for the scope registry:api:*',
        },
      },
    },
  }
}

function described(name: string, operation: Operation): DescribedOperation {
  const { summary, who, parameters, query, body, result } = operation
  return {
    operationId: name,
    tags: [name.split('.')[0]!],
    summary,
    description: `For ${who}.`,
    parameters: [...parametersOf(parameters, 'path'), ...parametersOf(query, 'query')],
    ...(body && { requestBody: { required: true as const, ...json(jsonSchema(body)) } }),
    responses: {
      ...(result ? { 200: { description: 'Done', ...json(jsonSchema(result)) } } : { 204: { description: 'Done' } }),
      default: {
        description: 'Refused, or failed',
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    },
  }
}

function parametersOf(schema: v.GenericSchema, place: 'path' | 'query'): DescribedOperation['parameters'] {
  const { properties = {}, required = [] } = jsonSchema(schema)
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: place,
    required: required.includes(name),
    ...(description !== undefined && { description }),
    schema,
  }))
}

const json = (schema: ApiSchema): ApiContent => ({ content: { 'application/json': { schema } } })

function jsonSchema(schema: v.GenericSchema): ApiSchema {
  const { $schema: _, ...rest } = toJsonSchema(schema, { target: 'draft-2020-12', typeMode: 'input' }) as ApiSchema
  return rest
}

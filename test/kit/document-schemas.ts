/** Whether a document is what its format's schema says. */
import { createRequire } from 'node:module'
import { Ajv, type ValidateFunction } from 'ajv'
import formats from 'ajv-formats'

const require = createRequire(import.meta.url)
const CYCLONEDX = '@cyclonedx/cyclonedx-library/res/schema'

/** What is wrong with a document of CycloneDX 1.6, by the schemas that its library brings along. */
export const faultsOfCycloneDx = onceMade(() => {
  const schema = (name: string) => require(`${resourcesOf(CYCLONEDX)}/${name}.SNAPSHOT.schema.json`) as object
  const ajv = withFormats(new Ajv({ strict: false, allErrors: true }))
  for (const name of ['spdx', 'jsf-0.82', 'cryptography-defs'])
    ajv.addSchema(schema(name), `http://cyclonedx.org/schema/${name}.SNAPSHOT.schema.json`)
  return ajv.compile(schema('bom-1.6'))
})

/** What is wrong with a document by a schema of ours. */
export function faultsBy(schema: object): (document: unknown) => string[] {
  return onceMade(() => withFormats(new Ajv({ strict: true, allErrors: true, allowUnionTypes: true })).compile(schema))
}

/** The package does not export its schemas. */
function resourcesOf(path: string): string {
  const [scope, name, ...rest] = path.split('/')
  return [require.resolve(`${scope}/${name}/package.json`).replace(/\/package\.json$/, ''), ...rest].join('/')
}

function withFormats(ajv: Ajv): Ajv {
  // A default export of CommonJS.
  const add = formats as unknown as (ajv: Ajv) => Ajv
  // Formats of a later draft, which no package at hand knows.
  return add(ajv)
    .addFormat('iri-reference', /^[^\s"<>{}|\\^`]*$/)
    .addFormat('idn-email', /^\S+@\S+$/)
}

function onceMade(make: () => ValidateFunction): (document: unknown) => string[] {
  let validate: ValidateFunction | undefined
  return (document) => {
    validate ??= make()
    if (validate(document)) return []
    return (validate.errors ?? []).map(({ instancePath, message, params }) =>
      [instancePath, message, JSON.stringify(params)].join(' '),
    )
  }
}

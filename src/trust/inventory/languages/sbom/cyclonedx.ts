import { isObject, type JsonObject, listOf, objectOf, textOf } from '../json.ts'
import type { Component } from './component-collector.ts'

/** Whether a document says that it is a bill of materials in JSON by CycloneDX 1.2 and later. */
export function isCycloneDx(document: JsonObject): boolean {
  return textOf(document['bomFormat']) === 'CycloneDX'
}

/** All components, also those inside others; not the one that the document is about. Source: CycloneDX 1.6, `components`. */
export function* cycloneDxComponents(document: JsonObject): Generator<Component> {
  const open = [listOf(document['components'])]
  for (let list = open.pop(); list; list = open.pop()) {
    for (const value of list) {
      const component = objectOf(value)
      if (Array.isArray(component['components'])) open.push(component['components'])
      const { purl, type, version } = component
      yield {
        url: textOf(purl),
        licences: licencesOf(component),
        isSoftware: SOFTWARE.has(textOf(type)) && textOf(version) !== '',
      }
    }
  }
}

const SOFTWARE = new Set(['library', 'framework', 'application'])

function licencesOf({ licenses }: JsonObject): string[] {
  return listOf(licenses).map((choice) => {
    const { license, expression } = objectOf(choice)
    const { id, name } = objectOf(license)
    return isObject(license) ? textOf(id) || textOf(name) : textOf(expression)
  })
}

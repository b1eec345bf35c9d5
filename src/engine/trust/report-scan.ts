import { cycloneDxWithVulnerabilities, htmlReport, sarif, scanDocument } from '#trust/report'
import type { EngineContext } from '../context/context.ts'
import { packageVersion } from '../version/index.ts'
import type { ScannedImage } from './scan.ts'

/** How a scan is written down for programs and browsers. */
export type ScanFormat = 'json' | 'sarif' | 'cyclonedx' | 'html'

/** A scan as a document: text with a newline at its end. The same scan gives the same document. */
export async function reportScan(
  { config }: EngineContext,
  { name, reference, result, summary }: ScannedImage,
  format: ScanFormat,
): Promise<string> {
  const version = packageVersion()
  switch (format) {
    case 'html':
      return htmlReport(result, { name, version, summary })
    case 'sarif':
      return json(sarif(result, { name, version }))
    case 'cyclonedx': {
      const created = config.sourceDateEpoch === undefined ? undefined : new Date(config.sourceDateEpoch * 1000)
      return json(await cycloneDxWithVulnerabilities(result, { name, reference, version, created }))
    }
    case 'json':
      return json(scanDocument(result, { name, summary }))
  }
}

export const json = (document: unknown) => `${JSON.stringify(document, undefined, 2)}\n`

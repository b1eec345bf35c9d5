import { barText } from '../bars.ts'
import { BUILD_SERIES } from './build-series.ts'
import { IMAGE_SERIES } from './image-series.ts'
import type { Series } from './series.ts'
import { STORE_SERIES } from './store-series.ts'

export const SERIES: readonly Series[] = [...IMAGE_SERIES, ...BUILD_SERIES, ...STORE_SERIES]

export function listSeries(series: readonly Series[]): string {
  return series
    .map(({ name, whole, unit, does, bars = {} }) => {
      const texts = Object.entries(bars).map(([verb, list]) => `${verb} ${list.map((bar) => barText(bar)).join('; ')}`)
      return `${name.padEnd(12)} ${`${whole} ${unit}`.padEnd(18)} ${does}${texts.length > 0 ? ` (${texts.join(', ')})` : ''}`
    })
    .join('\n')
}

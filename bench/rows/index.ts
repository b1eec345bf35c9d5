import type { Row, Section } from '../row.ts'
import { build } from './build.ts'
import { containers } from './containers.ts'
import { images } from './images.ts'
import { inventory } from './inventory.ts'
import { reads } from './reads.ts'
import { start } from './start.ts'

/** All rows, as they are shown. */
export const SECTIONS: readonly Section[] = [start, images, containers, build, reads, inventory]

/** Each of these leaves the image as the next one needs it, so that nothing is pulled or removed only for the sake of another. */
const FIRST = ['ps', 'load', 'first output', 'rmi', 'pull']

/** The rows in the order in which a round plays them. Any other gives the same figures, later. */
export function playOrder(rows: readonly Row[]): Row[] {
  const rank = ({ name }: Row) => (FIRST.includes(name) ? FIRST.indexOf(name) : FIRST.length)
  return rows.toSorted((a, b) => rank(a) - rank(b))
}

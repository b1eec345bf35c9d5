/**
 * docker: what docker's users write and read. Value grammars (sizes, durations, times, CSV,
 * environment files, patterns), sizes and times as docker shows them, filters of lists, docker's messages for progress facts; views/ has its JSON shapes.
 * Promises: pure functions; one grammar for one kind of value, with docker's complaint. Does not: read files, print, know
 * which flag a value belongs to.
 */

export { csvFields } from './csv.ts'
export { formatDuration, parseDuration, readDuration } from './duration.ts'
export { eventFilter } from './event-filter.ts'
export { type EventMessage, eventMessage } from './event-message.ts'
export { type FilterPair, Filters, PRUNE_FILTERS } from './filters.ts'
export { compileGlob, type Glob } from './glob.ts'
export { binarySize, humanAgo, humanDuration, humanSize } from './human-units.ts'
export { environmentEntry, keyValueText, parseEnvironmentFile, parseLabelFile } from './key-value-file.ts'
export { type NetworkOption, parseNetworkOption } from './network-option.ts'
export { readBoolean, readCpus, readInteger } from './number.ts'
export { compilePattern, type Pattern } from './pattern.ts'
export { type PublishedPortRequest, parseExposedPorts, parsePublishedPorts } from './ports.ts'
export { noSuchContainer, notRunning, predefinedNetwork } from './sentences.ts'
export { parseSize } from './size.ts'
export { loadedLine, type StatusLine, statusLines } from './status-lines.ts'
export { millisecondsOf, parseTimestamp } from './timestamp.ts'

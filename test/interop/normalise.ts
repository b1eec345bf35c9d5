/** Takes out of an output what is different at every run: digests, IDs, times, names of the tool. */
export function normalise(text: string, context: { directory: string }): string {
  return text
    .replaceAll(context.directory, '<directory>')
    .replace(/sha256:[0-9a-f]{64}/g, '<digest>')
    .replace(/\b[0-9a-f]{64}\b/g, '<id>')
    .replace(/\b[0-9a-f]{12}\b/g, '<short id>')
    .replace(/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)/g, '<time>')
    .replace(/\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d( \.\d+)? [+-]\d{4} [A-Z]+/g, '<time>')
    .replace(
      /(Less than a second|About an? (minute|hour)|\d+ (seconds?|minutes?|hours?|days?|weeks?|months?|years?)) ago/g,
      '<ago>',
    )
    .replace(/\bUp (Less than a second|About an? (minute|hour)|\d+ (seconds?|minutes?|hours?))/g, 'Up <time>')
    .replace(/\b172\.17\.\d+\.\d+|\b10\.\d+\.\d+\.\d+/g, '<address>')
    .replace(/\b(docker|bale|Docker|Bale)\b/g, '<tool>')
    .replace(/[ \t]+$/gm, '')
    .replace(/ {3,}/g, '   ')
}

/**
 * Takes out of messages where they come from, and what one tool adds to them: docker says whether its daemon or its
 * client speaks, bale quotes the word that it refuses and gives hints, both point to their help, 28 more than 20.10.
 */
export function normaliseMessages(text: string): string {
  return text
    .split('\n')
    .filter((line) => !/^(hint: |See '<tool> |Usage: {2}<tool> |Run '<tool> |time="<time>" level=)/.test(line))
    .map((line) =>
      line
        .replace(/^(Error response from daemon: |<tool>: |Error: |error: )+/, '')
        .replace(/^(Error parsing reference: "[^"]*" is not a valid repository\/tag: )/, '')
        .replace(/^(invalid reference format.*?): "[^"]*"$/, '$1')
        .replace(/^failed to create (shim )?task: /, '')
        .replace(/^Invalid filter /, 'invalid filter ')
        .replace(/(: unknown)?\.?$/, ''),
    )
    .filter((line) => line !== '')
    .join('\n')
}

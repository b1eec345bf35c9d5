/** Cuts a text to so many characters, of which the last is then `…`, as docker does. */
export function ellipsis(text: string, length: number): string {
  const characters = [...text]
  return characters.length > length ? `${characters.slice(0, length - 1).join('')}…` : text
}

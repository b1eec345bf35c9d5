/** Text that is HTML already. Made by `html` alone, which escapes what is put into it. */
export class Markup {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** What may stand in a template: nothing but markup is taken as markup. */
export type Content = Markup | string | number | undefined | readonly Content[]

/** HTML with values in it. Text and numbers are escaped, also within attributes in double quotes; undefined is nothing. */
export function html(parts: TemplateStringsArray, ...values: readonly Content[]): Markup {
  return new Markup(parts.map((part, at) => part + textOf(values[at])).join(''))
}

function textOf(content: Content): string {
  if (content instanceof Markup) return content.text
  if (typeof content === 'object') return content.map(textOf).join('')
  return content === undefined ? '' : escaped(String(content))
}

const ENTITIES: ReadonlyMap<string, string> = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&quot;'],
  ["'", '&#39;'],
])

const escaped = (text: string) => text.replaceAll(/[&<>"']/g, (sign) => ENTITIES.get(sign)!)

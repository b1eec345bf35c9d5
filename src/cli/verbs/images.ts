import { defineVerb } from '../verb.ts'

export const verb = defineVerb<{ quiet?: boolean }>({
  name: 'images',
  summary: 'List images',
  options: [{ flags: '-q, --quiet', description: 'Only show image IDs' }],
  examples: [{ command: 'bale images', explains: 'All images with a name' }],
  async run() {
    return 0
  },
})

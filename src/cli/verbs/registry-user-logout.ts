import { alignColumns } from '../render/align-columns.ts'
import { defineVerb } from '../verb/verb.ts'
import { openAdmin, PLACE_OPTIONS } from './registry.ts'
import { loginRow } from './registry-accounts.ts'

export const verb = defineVerb({
  name: 'registry user logout',
  summary: 'End the logins of registry users, wherever browsers and programs keep them',
  usage: 'NAME [NAME...]',
  arguments: { min: 1 },
  options: [...PLACE_OPTIONS, { flags: '--list', description: 'Show the logins, and end none' }],
  examples: [
    {
      command: 'bale registry user logout ann',
      explains: 'After a laptop was lost: tokens and sessions end at once; the password and access tokens stay',
    },
    { command: 'bale registry user logout --list ann', explains: 'What ann is logged in with, newest first' },
  ],
  async run({ args, options, engine, io }) {
    await using admin = await openAdmin(options, engine, io)
    if (options.list) {
      const rows: string[] = []
      for (const name of args) rows.push(...(await admin.users.logins(name)).map((login) => loginRow(name, login)))
      await io.print(alignColumns(['USER\tKIND\tCLIENT\tSINCE\tUSED\tENDS', ...rows].join('\n')))
      return 0
    }
    for (const name of args) {
      await admin.users.logOut(name)
      await io.print(name)
    }
    return 0
  },
})

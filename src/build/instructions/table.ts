import { arg } from './arg.ts'
import { cmd } from './cmd.ts'
import { add, copy } from './copy.ts'
import { entrypoint } from './entrypoint.ts'
import { env } from './env.ts'
import { expose } from './expose.ts'
import { from } from './from.ts'
import { healthcheck } from './healthcheck.ts'
import { label } from './label.ts'
import { maintainer } from './maintainer.ts'
import { onbuild } from './onbuild.ts'
import { run } from './run.ts'
import { shell } from './shell.ts'
import { stopSignal } from './stop-signal.ts'
import { user } from './user.ts'
import { volume } from './volume.ts'
import { workdir } from './workdir.ts'

/** Every instruction by its keyword. */
export const INSTRUCTIONS = {
  ADD: add,
  ARG: arg,
  CMD: cmd,
  COPY: copy,
  ENTRYPOINT: entrypoint,
  ENV: env,
  EXPOSE: expose,
  FROM: from,
  HEALTHCHECK: healthcheck,
  LABEL: label,
  MAINTAINER: maintainer,
  ONBUILD: onbuild,
  RUN: run,
  SHELL: shell,
  STOPSIGNAL: stopSignal,
  USER: user,
  VOLUME: volume,
  WORKDIR: workdir,
}

/** An instruction with its arguments understood. Texts that may hold variables are not expanded yet. */
export type Command = ReturnType<(typeof INSTRUCTIONS)[keyof typeof INSTRUCTIONS]['parse']>

/** What may follow FROM. */
export type StageCommand = Exclude<Command, { kind: 'FROM' }>

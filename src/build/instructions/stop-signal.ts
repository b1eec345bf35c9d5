import { Mistake } from '../dockerfile/index.ts'
import type { InstructionType } from './instruction-type.ts'
import { withConfig } from './stage-state.ts'
import { parseText, type TextCommand } from './text-command.ts'

const SIGNALS =
  'ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF PWR QUIT SEGV STKFLT STOP SYS TERM TRAP TSTP TTIN TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ'
const NAMED_SIGNALS = new Set(SIGNALS.split(' '))

export const stopSignal: InstructionType<TextCommand<'STOPSIGNAL'>> = {
  parse: (instruction) => parseText('STOPSIGNAL', instruction),
  plan({ text }, { state, words }) {
    const StopSignal = words.text(text)
    if (!isSignal(StopSignal)) throw new Mistake(`invalid signal: ${StopSignal}`, { word: text })
    return { state: withConfig(state, { StopSignal }), createdBy: `STOPSIGNAL ${StopSignal}` }
  },
}

function isSignal(text: string): boolean {
  const name = text.toUpperCase().replace(/^SIG/, '')
  const isNumber = /^\d+$/.test(text) && Number(text) >= 1 && Number(text) <= 64
  return isNumber || NAMED_SIGNALS.has(name) || /^RTM(?:IN(?:\+\d{1,2})?|AX(?:-\d{1,2})?)$/.test(name)
}

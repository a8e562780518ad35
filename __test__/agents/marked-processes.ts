import { readdirSync, readFileSync } from 'node:fs'

/** The command lines of all processes with this variable (`NAME=value`) in their environment, this one excepted. */
export function markedProcesses(marker: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => {
      try {
        const environ = readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0')
        const command = readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ')
        return environ.includes(marker) && command !== '' ? [command] : []
      } catch {
        // It has ended meanwhile.
        return []
      }
    })
}

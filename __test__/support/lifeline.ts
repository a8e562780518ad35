import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'

import { onTestFinished } from 'vitest'

import { temporaryFolder } from './folder.js'

/** The end of a line that a fake agent holds as long as it lives. */
export interface Lifeline {
  /** To be added to the agent's environment. */
  env: { FAKE_LIFELINE: string }
  /** Resolves with the agent's process id when it is there. */
  pid: Promise<number>
  /** Resolves when the agent is gone. */
  closed: Promise<void>
}

/** Waits for one fake agent to take hold of a line. */
export async function openLifeline(): Promise<Lifeline> {
  const path = join(temporaryFolder(), 'lifeline')
  const server = createServer()
  onTestFinished(() => void server.close())
  server.listen(path)
  await once(server, 'listening')
  const socket = once(server, 'connection').then(([connection]) => connection as Socket)
  const pid = socket.then(async (connection) => Number(String((await once(connection, 'data'))[0])))
  const closed = socket.then(async (connection) => {
    await once(connection.resume(), 'close')
  })
  return { env: { FAKE_LIFELINE: path }, pid, closed }
}

/** Whether a process is there; a zombie counts. */
export function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

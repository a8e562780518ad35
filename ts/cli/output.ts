import type { WriteStream } from 'node:tty'

/** Takes text that is to be shown. */
export type TextSink = Pick<Output, 'isTerminal' | 'columns' | 'write' | 'flush' | 'ready'>

/**
 * Writes to a stream in batches: what is written within one turn of the event loop goes out as one `write`, and a
 * consumer that cannot keep up is waited for.
 */
export class Output {
  readonly #stream: NodeJS.WritableStream
  #buffer = ''
  #scheduled: NodeJS.Immediate | undefined
  #drained: Promise<void> | undefined

  constructor(stream: NodeJS.WritableStream) {
    this.#stream = stream
  }

  /** Whether it is a terminal. */
  get isTerminal(): boolean {
    return (this.#stream as Partial<WriteStream>).isTTY ?? false
  }

  /** The terminal's width in columns. */
  get columns(): number {
    return (this.#stream as Partial<WriteStream>).columns || 80
  }

  write(text: string): void {
    this.#buffer += text
    this.#scheduled ??= setImmediate(() => this.flush())
  }

  /** Writes what has gathered now. */
  flush(): void {
    if (this.#scheduled) {
      clearImmediate(this.#scheduled)
      this.#scheduled = undefined
    }
    if (this.#buffer === '') {
      return
    }
    const text = this.#buffer
    this.#buffer = ''
    this.#send(text)
  }

  /** Writes this now, behind what has gathered. */
  writeBytes(bytes: Uint8Array): void {
    this.flush()
    if (bytes.length > 0) {
      this.#send(bytes)
    }
  }

  #send(data: string | Uint8Array): void {
    const ready = this.#stream.write(data)
    if (!ready && !this.#drained) {
      this.#drained = new Promise((resolve) => {
        const go = () => {
          this.#stream.off('drain', go).off('close', go)
          this.#drained = undefined
          resolve()
        }
        // A terminal that has gone never takes more; what is written to it is dropped.
        this.#stream.once('drain', go).once('close', go)
      })
    }
  }

  /** Resolves when the stream can take more; undefined when it can now. */
  ready(): Promise<void> | undefined {
    return this.#drained
  }
}

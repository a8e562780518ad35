import type { ExecEventListener, ExecEventMap, ExecEventType } from './events.js'

type Register = <T extends ExecEventType>(type: T, listener: ExecEventListener<ExecEventMap[T]>) => unknown

/** Something that can be listened to: a listener for the events of one type. */
export class EventSource {
  readonly #emitter: Record<'on' | 'once' | 'off', Register>

  /** `emitter`: keeps the listeners, and calls them. */
  constructor(emitter: Record<'on' | 'once' | 'off', Register>) {
    this.#emitter = emitter
  }

  on<T extends ExecEventType>(type: T, listener: ExecEventListener<ExecEventMap[T]>): this {
    this.#emitter.on(type, listener)
    return this
  }

  once<T extends ExecEventType>(type: T, listener: ExecEventListener<ExecEventMap[T]>): this {
    this.#emitter.once(type, listener)
    return this
  }

  off<T extends ExecEventType>(type: T, listener: ExecEventListener<ExecEventMap[T]>): this {
    this.#emitter.off(type, listener)
    return this
  }
}

import { ProtocolError } from './protocol-error.ts';

import type { Frame } from './frames.ts';

/**
 * The streams that we have reset while the other end did not know. What it sends of them in the meantime is ignored, up
 * to what the window allowed; when it has heard of the reset it answers, and sends no more.
 */
export class LateStreams {
    readonly #rooms = new Map<number, number>();

    get size(): number {
        return this.#rooms.size;
    }

    add(id: number, room: number): void {
        this.#rooms.set(id, room);
    }

    clear(): void {
        this.#rooms.clear();
    }

    /**
     * Takes a frame of a stream that is over.
     *
     * @returns Whether the other end waits for an answer to its reset
     * @throws ProtocolError for a frame that nobody sends who knows of the end
     */
    receive(frame: Extract<Frame, { stream: number }>): boolean {
        const room = this.#rooms.get(frame.stream);
        if (frame.type === 'window') return false;
        if (frame.type === 'reset') return this.#settle(frame.stream, frame.isAnswer);
        if (room === undefined) throw new ProtocolError(`${frame.type} on a closed stream`);
        if (frame.type !== 'data') return false;
        if (frame.data.length > room) throw new ProtocolError('data beyond the window');
        this.#rooms.set(frame.stream, room - frame.data.length);
        return false;
    }

    /** Two resets that crossed are each other's answer. */
    #settle(id: number, isAnswer: boolean): boolean {
        const wasLate = this.#rooms.delete(id);
        if (isAnswer && !wasLate) throw new ProtocolError('an answer to no reset');
        return !isAnswer && !wasLate;
    }
}

import type { Dispatcher } from 'undici';
import type { TransportAnswer } from './transport.ts';

/** What may wait here unread before the sender is held up. */
const MOST_UNREAD = 65_536;
/** Pieces that come faster than this are given together, once some have been given at once: what a step costs is saved. */
const PACE = { stepMs: 5, atOnceMs: 40 };

/**
 * One request and its answer, without the streams that undici would make of it. The body's steps give all that has come
 * since the one before; ending the iteration early closes the connection.
 */
export class Exchange implements Dispatcher.DispatchHandler, AsyncIterableIterator<Uint8Array, undefined> {
    /** Rejected with what the connection or the signal failed with. */
    readonly answered: Promise<TransportAnswer>;

    readonly #signal: AbortSignal;
    readonly #atOnceMs: number;
    readonly #abort = () => this.#controller?.abort(this.#signal.reason as Error);
    #controller: Dispatcher.DispatchController | undefined;
    #answer!: (answer: TransportAnswer) => void;
    #refuse!: (reason: unknown) => void;
    #unread: Uint8Array[] = [];
    #unreadBytes = 0;
    #isOver = false;
    #failure: { reason: unknown } | undefined;
    #wake: (() => void) | undefined;
    /** When all steps so far would have been given at their pace. */
    #pacedAt = 0;

    /** @param isUnhurried Only the first piece is given at once */
    constructor(signal: AbortSignal, isUnhurried = false) {
        this.#signal = signal;
        this.#atOnceMs = isUnhurried ? 0 : PACE.atOnceMs;
        this.answered = new Promise((resolve, reject) => {
            this.#answer = resolve;
            this.#refuse = reject;
        });
    }

    onRequestStart(controller: Dispatcher.DispatchController): void {
        this.#controller = controller;
        if (this.#signal.aborted) this.#abort();
        else this.#signal.addEventListener('abort', this.#abort, { once: true });
    }

    onResponseStart(_controller: unknown, status: number, headers: TransportAnswer['headers']): void {
        if (status >= 200) this.#answer({ status, headers, body: this });
    }

    onResponseData(controller: Dispatcher.DispatchController, piece: Uint8Array): void {
        this.#unread.push(piece);
        this.#unreadBytes += piece.length;
        if (this.#unreadBytes > MOST_UNREAD) controller.pause();
        this.#wake?.();
    }

    onResponseEnd(): void {
        this.#end();
    }

    onResponseError(_controller: unknown, error: Error): void {
        const reason: unknown = this.#signal.aborted ? this.#signal.reason : error;
        this.#failure ??= { reason };
        if (this.#signal.aborted) this.#unread = [];
        this.#refuse(reason);
        this.#end();
    }

    [Symbol.asyncIterator](): this {
        return this;
    }

    async next(): Promise<IteratorResult<Uint8Array, undefined>> {
        while (this.#unread.length === 0 && !this.#isOver) {
            await new Promise<void>((resolve) => (this.#wake = resolve));
        }
        await this.#keepPace();
        const [first, ...others] = this.#unread;
        if (!first) {
            if (this.#failure) throw this.#failure.reason;
            return { done: true, value: undefined };
        }
        const value = others.length === 0 ? first : Buffer.concat(this.#unread);
        this.#unread = [];
        this.#unreadBytes = 0;
        // It may bring more before it returns.
        if (this.#controller?.paused) this.#controller.resume();
        return { done: false, value };
    }

    return(): Promise<IteratorResult<Uint8Array, undefined>> {
        if (!this.#isOver) this.#controller?.abort(new Error('The rest of the answer is not wanted'));
        this.#unread = [];
        return Promise.resolve({ done: true, value: undefined });
    }

    /** The end, and more than is to wait here, is waited for no longer. */
    async #keepPace(): Promise<void> {
        const waitMs = this.#pacedAt - this.#atOnceMs - performance.now();
        if (waitMs > 0 && this.#mayWait) {
            await new Promise<void>((resolve) => {
                const timer = setTimeout(resolve, waitMs);
                this.#wake = () => {
                    if (this.#mayWait) return;
                    clearTimeout(timer);
                    resolve();
                };
            });
        }
        this.#pacedAt = Math.max(this.#pacedAt, performance.now()) + PACE.stepMs;
    }

    get #mayWait(): boolean {
        return !this.#isOver && this.#unreadBytes <= MOST_UNREAD;
    }

    #end(): void {
        this.#isOver = true;
        this.#signal.removeEventListener('abort', this.#abort);
        this.#wake?.();
    }
}

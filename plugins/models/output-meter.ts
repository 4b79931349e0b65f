import { BYTES_PER_TOKEN } from './estimate.ts';

import type { StreamPart } from './call.ts';

const bytesOf = (text: string): number => Buffer.byteLength(text, 'utf8');
const tokensIn = (bytes: number): number => Math.ceil(bytes / BYTES_PER_TOKEN);

/** About how many tokens a model has said so far; what it wants of tools, and its thoughts, are output too. */
export class OutputMeter {
    #said = 0;
    #thought = 0;

    hear(part: StreamPart): void {
        if (part.type === 'text') this.#said += bytesOf(part.delta);
        else if (part.type === 'reasoning') this.#thought += bytesOf(part.delta);
        else if (part.type === 'tool-call') this.#said += bytesOf((part.name ?? '') + part.argumentsDelta);
    }

    get output(): number {
        return tokensIn(this.#said) + this.reasoning;
    }

    /** A part of `output`. */
    get reasoning(): number {
        return tokensIn(this.#thought);
    }
}

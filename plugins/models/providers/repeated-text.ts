/** Reads the text of an event that has nothing else to say; null where it has. */
export type ReadText = (event: string) => string | null;

/** Stands where the text does; nobody would say it. */
const PROBE = '\u{F0000}probe\u{F0000}';
/** An answer whose events differ in more than their text is not looked at for ever. */
const MOST_LEARNT = 16;
/** A JSON string that says what it is: no quotes, no backslashes, no control characters. */
const PLAIN = /^[ !#-[\]-\uFFFF]+$/;

/**
 * The events of an answer mostly differ in a piece of text only: then that is all that is read of them. What stands
 * around it is learnt from one event, and another with the same around a text would be read as the same but for it.
 */
export class RepeatedText {
    readonly #read: ReadText;
    #before = '';
    #after = '';
    #learnt = 0;

    /** @param read Reads an event whole */
    constructor(read: ReadText) {
        this.#read = read;
    }

    /** The text of an event like the one that was learnt; null where it is another, or its text is empty. */
    textOf(event: string): string | null {
        if (this.#before === '' || !event.startsWith(this.#before) || !event.endsWith(this.#after)) return null;
        const text = event.slice(this.#before.length, -this.#after.length);
        return PLAIN.test(text) ? text : unescaped(text);
    }

    /** @param text What was read of the event, and nothing else was */
    learn(event: string, text: string): void {
        if (this.#learnt === MOST_LEARNT) return;
        this.#learnt++;
        const quoted = JSON.stringify(text);
        const at = event.indexOf(quoted);
        if (at === -1) return;
        const before = event.slice(0, at + 1);
        const after = event.slice(at + quoted.length - 1);
        // The same text may stand elsewhere in the event, before the place that it was read from.
        if (this.#read(before + PROBE + after) !== PROBE) return;
        this.#before = before;
        this.#after = after;
    }
}

/** Null where it is no JSON string, or one of nothing. */
function unescaped(text: string): string | null {
    try {
        return JSON.parse(`"${text}"`) || null;
    } catch {
        return null;
    }
}

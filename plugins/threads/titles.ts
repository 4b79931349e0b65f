const LONGEST_TITLE = 200;
const FORK = ' (fork)';

const MAX_WORDS = 6;
const MAX_LENGTH = 60;
const ELLIPSIS = '…';
/** Up to where a sentence ends. */
const FIRST_SENTENCE = /^.*?(?:[.!?](?=\s|$)|[。！？\n]|$)/su;
const HALF_A_CHARACTER = /[\uD800-\uDBFF]$/;

const cut = (text: string, length: number): string => text.slice(0, length).replace(HALF_A_CHARACTER, '');

/** The title of a copy, with room for what says that it is one. */
export const forkTitle = (title: string | null): string | null =>
    title === null ? null : cut(title, LONGEST_TITLE - FORK.length) + FORK;

/** A title made of a question: its first sentence, or as much of its first six words as there is room for. */
export function titleOf(question: string): string {
    const text = question.trim().toWellFormed();
    const [sentence = ''] = FIRST_SENTENCE.exec(text) ?? [];
    const words = sentence.trim().split(/\s+/u);
    const whole = words.join(' ');
    if (words.length <= MAX_WORDS && whole.length <= MAX_LENGTH)
        return whole.replace(/(?<=[\p{L}\p{N}\p{M}])[.。]$/u, '');
    const room = MAX_LENGTH - ELLIPSIS.length;
    const first = words.slice(0, MAX_WORDS);
    while (first.length > 1 && first.join(' ').length > room) first.pop();
    return cut(first.join(' '), room).replace(/[\s,;:.]+$/u, '') + ELLIPSIS;
}

import { ApiFailure } from './api.js';
import { h } from './dom.js';

const SHOWN_MS = 8_000;

/** Says, where it is also read aloud, that something is done. @param {string} text */
export function notify(text) {
    const notice = h('p', { class: 'notice' }, text);
    document.getElementById('notices')?.append(notice);
    setTimeout(() => notice.remove(), SHOWN_MS);
}

/** Of a page that was left, or of a request that no longer matters. @param {unknown} error */
export const isAborted = (error) => error instanceof DOMException && error.name === 'AbortError';

/**
 * What went wrong, with the code and the id by which it is found in the log.
 *
 * @param {unknown} error
 * @param {(() => void) | null} [retry]
 */
export function failure(error, retry = null) {
    if (!(error instanceof ApiFailure)) console.error(error);
    const { message, code, suggestion, requestId, fields } =
        error instanceof ApiFailure ? error : new ApiFailure(ofThePage(error));
    return h(
        'div',
        { class: 'failure', role: 'alert' },
        h('p', {}, h('strong', {}, message), suggestion && ` ${suggestion}`),
        Object.values(fields).length > 0 && h('ul', {}, ...Object.values(fields).map((text) => h('li', {}, text))),
        h('p', { class: 'ids' }, h('code', {}, code), requestId && [' · request ', h('code', {}, requestId)]),
        retry && h('button', { type: 'button', onclick: retry }, 'Try again'),
    );
}

/** @param {unknown} error */
const ofThePage = (error) => ({
    code: 'CONSOLE_ERROR',
    message: `The console made a mistake: ${error instanceof Error ? error.message : String(error)}`,
    statusCode: 0,
});

/**
 * Shows what an answer comes to, and until then what was there before; a failure with a way to try again.
 *
 * @template Answer
 * @param {HTMLElement} place
 * @param {() => Promise<Answer>} ask
 * @param {(answer: Answer) => unknown} draw
 */
export async function show(place, ask, draw) {
    place.setAttribute('aria-busy', 'true');
    if (place.childElementCount === 0) place.replaceChildren(h('p', { class: 'quiet' }, 'Loading …'));
    try {
        const drawn = draw(await ask());
        place.replaceChildren(.../** @type {Node[]} */ ([drawn].flat(Infinity).filter(Boolean)));
    } catch (error) {
        if (isAborted(error)) return;
        place.replaceChildren(failure(error, () => void show(place, ask, draw)));
    } finally {
        place.removeAttribute('aria-busy');
    }
}

/**
 * Brings what a place shows up to date while it is looked at. Whoever is in the midst of it, or reads of a failure, is
 * not disturbed.
 *
 * @param {HTMLElement} place
 * @param {{ milliseconds: number; signal: AbortSignal; load: () => Promise<void> }} options
 */
export function keepFresh(place, { milliseconds, signal, load }) {
    const isBusy = () =>
        document.hidden ||
        place.contains(document.activeElement) ||
        place.querySelector('.failure, details[open]') !== null;
    const timer = setInterval(() => {
        if (!isBusy()) void load();
    }, milliseconds);
    signal.addEventListener('abort', () => clearInterval(timer), { once: true });
}

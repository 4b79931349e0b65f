import { h } from './dom.js';
import { isAborted, failure } from './notices.js';

/**
 * @template Row
 * @typedef {{
 *     title: string;
 *     cell: (row: Row) => unknown;
 *     isNumber?: boolean;
 *     isHeader?: boolean;
 *     hidesTitle?: boolean;
 * }} Column
 */

/**
 * A table that becomes a list of cards where it is too narrow for one. It says what each part of it is, as browsers
 * take what is not laid out as a table for none.
 *
 * @template Row
 * @param {{ caption: string; columns: (Column<Row> | false | null)[]; rows: Row[]; empty?: string }} options
 */
export function table({ caption, columns, rows, empty = 'Nothing here yet.' }) {
    const shown = columns.filter((column) => !!column);
    if (rows.length === 0) return h('p', { class: 'quiet' }, empty);
    const heads = shown.map(({ title, isNumber, hidesTitle }) =>
        h(
            'th',
            { scope: 'col', role: 'columnheader', class: isNumber && 'number' },
            hidesTitle ? h('span', { class: 'unseen' }, title) : title,
        ),
    );
    return h(
        'div',
        { class: 'table' },
        h(
            'table',
            { role: 'table' },
            h('caption', { class: 'unseen' }, caption),
            h('thead', { role: 'rowgroup' }, h('tr', { role: 'row' }, heads)),
            h(
                'tbody',
                { role: 'rowgroup' },
                rows.map((row) => h('tr', { role: 'row' }, shown.map(cellOf(row)))),
            ),
        ),
    );
}

/** @template Row @param {Row} row @returns {(column: Column<Row>) => HTMLElement} */
const cellOf =
    (row) =>
    ({ title, cell, isNumber, isHeader, hidesTitle }) =>
        h(
            isHeader ? 'th' : 'td',
            {
                ...(isHeader && { scope: 'row' }),
                role: isHeader ? 'rowheader' : 'cell',
                class: isNumber && 'number',
                'data-title': hidesTitle ? null : title,
            },
            cell(row),
        );

/**
 * A list that comes page by page, with a way back and forth.
 *
 * @param {HTMLElement} place
 * @param {(cursor: string | undefined) => Promise<{ data: any; pagination: any }>} ask
 * @param {(data: any, reload: () => Promise<void>) => HTMLElement} draw
 */
export function pages(place, ask, draw) {
    /** @type {(string | undefined)[]} */
    const cursors = [undefined];

    /** @returns {Promise<void>} */
    async function load() {
        place.setAttribute('aria-busy', 'true');
        try {
            const { data, pagination } = await ask(cursors.at(-1));
            place.replaceChildren(draw(data, load), turner(pagination ?? {}));
        } catch (error) {
            if (!isAborted(error)) place.replaceChildren(failure(error, () => void load()));
        } finally {
            place.removeAttribute('aria-busy');
        }
    }

    /** @param {() => void} move */
    async function turn(move) {
        move();
        await load();
        place.scrollIntoView({ block: 'nearest' });
        /** @type {HTMLElement | null} */ (place.querySelector('.pages p'))?.focus();
    }

    /** @param {{ cursor?: string | null; hasMore?: boolean; totalCount?: number }} pagination */
    function turner({ cursor, hasMore, totalCount }) {
        const total = totalCount === undefined ? '' : ` · ${totalCount} in all`;
        if (cursors.length === 1 && !hasMore) return h('p', { class: 'quiet' }, total.slice(3));
        const back = () => void turn(() => void cursors.pop());
        const on = () => void turn(() => void cursors.push(cursor ?? undefined));
        return h(
            'nav',
            { class: 'pages', 'aria-label': 'Pages' },
            h('button', { type: 'button', onclick: back, disabled: cursors.length === 1 }, 'Previous'),
            h('p', { tabindex: -1 }, `Page ${cursors.length}${total}`),
            h('button', { type: 'button', onclick: on, disabled: !hasMore }, 'Next'),
        );
    }

    if (place.childElementCount === 0) place.replaceChildren(h('p', { class: 'quiet' }, 'Loading …'));
    return load();
}

/** @param {string} state @param {string} [text] */
export const badge = (state, text = state.replaceAll('_', ' ')) => h('span', { class: `badge is-${state}` }, text);

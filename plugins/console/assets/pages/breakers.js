import { api } from '../api.js';
import { ask } from '../dialog.js';
import { h } from '../dom.js';
import { count, time } from '../format.js';
import { keepFresh, notify, show } from '../notices.js';
import { may } from '../session.js';
import { badge, table } from '../table.js';

const REFRESH_MS = 30_000;

/** @type {import('../main.js').Page} */
export const breakers = {
    section: 'breakers',
    title: 'Breakers',
    permission: 'platform:read',
    open: ({ main, session, signal }) => {
        const place = h('div', {});
        const load = () =>
            show(
                place,
                async () => (await api('GET', '/api/admin/breakers', { signal })).data.breakers,
                (rows) => breakerTable(rows, { mayReset: may(session, 'platform:recover'), reload: load }),
            );
        main.append(
            h('p', { class: 'quiet' }, 'An open breaker refuses calls of a provider that has failed too often.'),
            place,
        );
        void load();
        keepFresh(place, { milliseconds: REFRESH_MS, signal, load });
    },
};

/** @param {any[]} rows @param {{ mayReset: boolean; reload: () => Promise<void> }} options */
const breakerTable = (rows, { mayReset, reload }) =>
    table({
        caption: 'Breakers',
        empty: 'There is no breaker: no provider has failed.',
        rows,
        columns: [
            { title: 'Name', cell: ({ name }) => name, isHeader: true },
            { title: 'State', cell: ({ state }) => badge(state) },
            { title: 'Failures', cell: ({ failures }) => count(failures), isNumber: true },
            { title: 'Tries again', cell: ({ retryAt }) => time(retryAt) },
            mayReset && {
                title: 'Actions',
                hidesTitle: true,
                cell: ({ name, state }) =>
                    state !== 'closed' &&
                    h(
                        'button',
                        { type: 'button', 'aria-label': `Reset ${name}`, onclick: () => askToReset(name, reload) },
                        'Reset',
                    ),
            },
        ],
    });

/** @param {string} name @param {() => Promise<void>} reload */
const askToReset = (name, reload) =>
    ask({
        title: `Reset ${name}?`,
        text: 'Calls go through at once, as if it had never failed.',
        action: 'Reset',
        run: async () => {
            await api('POST', `/api/admin/breakers/${encodeURIComponent(name)}/reset`);
            notify(`${name} is reset.`);
            await reload();
        },
    });

import { api } from '../api.js';
import { h } from '../dom.js';
import { count, time } from '../format.js';
import { failure, notify } from '../notices.js';
import { hashOf } from '../router.js';
import { may } from '../session.js';
import { badge, pages, table } from '../table.js';

const STATES = ['failed', 'waiting', 'active', 'delayed', 'completed'];

/** @type {import('../main.js').Page} */
export const jobs = {
    section: 'jobs',
    title: 'Jobs',
    permission: 'platform:read',
    open: ({ main, query, session, signal }) => {
        const asked = query.get('state') ?? '';
        const state = STATES.includes(asked) ? asked : 'failed';
        const place = h('div', {});
        main.append(place);
        void pages(
            place,
            (cursor) => api('GET', '/api/admin/jobs', { query: { state, cursor, limit: 20 }, signal }),
            (data, reload) =>
                h(
                    'div',
                    {},
                    choice(data.counts, state),
                    jobTable(data.jobs, { state, mayRetry: may(session, 'platform:recover'), reload }),
                ),
        );
    },
};

/** @param {Record<string, number>} counts @param {string} chosen */
const choice = (counts, chosen) =>
    h(
        'ul',
        { class: 'choice', 'aria-label': 'State' },
        STATES.map((state) =>
            h(
                'li',
                {},
                h(
                    'a',
                    { href: hashOf(['jobs'], { state }), 'aria-current': state === chosen && 'true' },
                    `${state} `,
                    h('b', {}, count(counts[state] ?? 0)),
                ),
            ),
        ),
    );

/** @param {any[]} rows @param {{ state: string; mayRetry: boolean; reload: () => Promise<void> }} options */
const jobTable = (rows, { state, mayRetry, reload }) =>
    table({
        caption: `Jobs: ${state}`,
        empty: `No job is ${state}.`,
        rows,
        columns: [
            { title: 'Job', cell: ({ queue, name }) => (name === queue ? name : `${queue}: ${name}`), isHeader: true },
            { title: 'State', cell: (job) => badge(job.state) },
            { title: 'Tenant', cell: ({ tenantId }) => tenantLink(tenantId) },
            { title: 'Tries', cell: ({ attempts }) => count(attempts), isNumber: true },
            { title: 'Error', cell: ({ error }) => error ?? '–' },
            { title: 'Added', cell: ({ addedAt }) => time(addedAt) },
            mayRetry &&
                state === 'failed' && { title: 'Actions', hidesTitle: true, cell: (job) => retryButton(job, reload) },
        ],
    });

/** @param {string | null} tenantId */
const tenantLink = (tenantId) => (tenantId ? h('a', { href: hashOf(['tenants', tenantId]) }, tenantId) : '–');

/** @param {any} job @param {() => Promise<void>} reload */
function retryButton({ id, name }, reload) {
    const button = h('button', { type: 'button', 'aria-label': `Try ${name} again`, onclick: retry }, 'Try again');

    async function retry() {
        button.disabled = true;
        try {
            await api('POST', `/api/admin/jobs/${encodeURIComponent(id)}/retry`);
            notify(`${name} is tried again.`);
            await reload();
        } catch (error) {
            button.replaceWith(failure(error));
        }
    }

    return button;
}

import { askToActivate, askToSuspend } from './tenant.js';
import { api } from '../api.js';
import { field, valuesOf } from '../dialog.js';
import { h } from '../dom.js';
import { notify } from '../notices.js';
import { hashOf } from '../router.js';
import { may } from '../session.js';
import { badge, pages, table } from '../table.js';

/** @type {import('../main.js').Page} */
export const users = {
    section: 'users',
    title: 'Users',
    permission: 'account:read',
    open: ({ main, query, session, signal }) => {
        const place = h('div', {});
        const filters = { q: query.get('q') ?? '', tenantId: query.get('tenantId') ?? '' };
        main.append(searchForm(filters), place);
        void pages(
            place,
            (cursor) => api('GET', '/api/admin/users', { query: { ...filters, cursor, limit: 20 }, signal }),
            (data, reload) => userTable(data.users, { maySuspend: may(session, 'account:suspend'), reload }),
        );
    },
};

/** @param {{ q: string; tenantId: string }} filters */
function searchForm(filters) {
    /** @param {SubmitEvent} event */
    const search = (event) => {
        event.preventDefault();
        location.hash = hashOf(['users'], valuesOf(form));
    };
    const form = h(
        'form',
        { class: 'toolbar', role: 'search', onsubmit: search },
        field({ name: 'q', label: 'E-mail or name', type: 'search', value: filters.q, maxlength: 100 }),
        field({ name: 'tenantId', label: 'Id of the tenant', value: filters.tenantId, maxlength: 64 }),
        h('button', {}, 'Search'),
    );
    return form;
}

/** @param {any[]} rows @param {{ maySuspend: boolean; reload: () => Promise<void> }} options */
const userTable = (rows, { maySuspend, reload }) =>
    table({
        caption: 'Users',
        empty: 'No user is like that.',
        rows,
        columns: [
            { title: 'Name', cell: ({ displayName }) => displayName, isHeader: true },
            { title: 'E-mail', cell: ({ email }) => email },
            {
                title: 'Tenant',
                cell: ({ tenantId, tenantName }) => h('a', { href: hashOf(['tenants', tenantId]) }, tenantName),
            },
            { title: 'Role', cell: ({ role }) => role },
            { title: 'Tier', cell: ({ tier }) => tier ?? 'of the plan' },
            { title: 'Status', cell: (user) => badge(stateOf(user)) },
            maySuspend && { title: 'Actions', hidesTitle: true, cell: (user) => action(user, reload) },
        ],
    });

/** @param {any} user */
function stateOf({ isActive, deletedAt }) {
    if (deletedAt) return 'deleted';
    return isActive ? 'active' : 'suspended';
}

/** @param {any} user @param {() => Promise<void>} reload */
function action(user, reload) {
    const { id, tenantId, displayName } = user;
    const state = stateOf(user);
    if (state === 'deleted') return null;
    /** @param {string} what @param {object} [body] */
    async function act(what, body) {
        await api('POST', `/api/admin/tenants/${tenantId}/users/${id}/${what}`, body ? { body } : {});
        notify(`${displayName} is ${what === 'suspend' ? 'suspended' : 'active'}.`);
        await reload();
    }
    const [text, open] = state === 'active' ? ['Suspend', askToSuspend] : ['Activate', askToActivate];
    return h(
        'button',
        { type: 'button', 'aria-label': `${text} ${displayName}`, onclick: () => open(displayName, act) },
        text,
    );
}

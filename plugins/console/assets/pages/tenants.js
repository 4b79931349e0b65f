import { tenantPage } from './tenant.js';
import { api, newIdempotencyKey } from '../api.js';
import { ask, field, showOnce, valuesOf } from '../dialog.js';
import { h } from '../dom.js';
import { time } from '../format.js';
import { notify } from '../notices.js';
import { hashOf } from '../router.js';
import { may } from '../session.js';
import { badge, pages, table } from '../table.js';

export const PLANS = ['free', 'premium', 'enterprise'];
const STATUSES = ['active', 'suspended', 'deleted'];

/** @type {import('../main.js').Page} */
export const tenants = {
    section: 'tenants',
    title: 'Tenants',
    permission: 'tenant:read',
    open: (visit) => {
        const [tenantId] = visit.params;
        if (tenantId) tenantPage(visit, tenantId);
        else list(visit);
    },
};

/** @param {import('../main.js').Visit} visit */
function list({ main, query, session, signal }) {
    const place = h('div', {});
    const filters = { q: query.get('q') ?? '', status: query.get('status') ?? '', plan: query.get('plan') ?? '' };
    main.append(searchForm(filters, may(session, 'tenant:write')), place);
    void pages(
        place,
        (cursor) => api('GET', '/api/admin/tenants', { query: { ...filters, cursor, limit: 20 }, signal }),
        (data) => tenantTable(data.tenants),
    );
}

/** @param {{ q: string; status: string; plan: string }} filters @param {boolean} mayCreate */
function searchForm(filters, mayCreate) {
    /** @param {SubmitEvent} event */
    const search = (event) => {
        event.preventDefault();
        location.hash = hashOf(['tenants'], valuesOf(form));
    };
    const anyOf = (/** @type {string[]} */ names) =>
        /** @type {[string, string][]} */ ([['', 'Any'], ...names.map((name) => [name, name])]);
    const form = h(
        'form',
        { class: 'toolbar', role: 'search', onsubmit: search },
        field({ name: 'q', label: 'Name or domain', type: 'search', value: filters.q, maxlength: 100 }),
        field({ name: 'status', label: 'Status', type: 'select', options: anyOf(STATUSES), value: filters.status }),
        field({ name: 'plan', label: 'Plan', type: 'select', options: anyOf(PLANS), value: filters.plan }),
        h('button', {}, 'Search'),
        mayCreate && h('button', { type: 'button', class: 'primary', onclick: askForTenant }, 'Create a tenant'),
    );
    return form;
}

/** @param {any[]} rows */
const tenantTable = (rows) =>
    table({
        caption: 'Tenants',
        empty: 'No tenant is like that.',
        rows,
        columns: [
            { title: 'Name', cell: ({ id, name }) => h('a', { href: hashOf(['tenants', id]) }, name), isHeader: true },
            { title: 'Domain', cell: ({ domain }) => domain },
            { title: 'Plan', cell: ({ plan }) => plan },
            { title: 'Status', cell: ({ status }) => badge(status) },
            { title: 'Created', cell: ({ createdAt }) => time(createdAt) },
        ],
    });

function askForTenant() {
    // One for the whole dialog: sent again after a lost answer, it still makes one tenant.
    const idempotencyKey = newIdempotencyKey();
    ask({
        title: 'Create a tenant',
        text: 'Its first admin gets an invitation, which is shown to you once.',
        fields: [
            { name: 'name', label: 'Name', required: true, maxlength: 100 },
            { name: 'domain', label: 'Domain', required: true, maxlength: 253, hint: 'As in acme.example' },
            { name: 'plan', label: 'Plan', type: 'select', options: PLANS.map((plan) => [plan, plan]) },
            { name: 'email', label: 'E-mail of its first admin', type: 'email', required: true, maxlength: 254 },
        ],
        action: 'Create',
        run: async ({ email, ...tenant }) => {
            const { data } = await api('POST', '/api/admin/tenants', {
                body: { ...tenant, admin: { email } },
                headers: { 'idempotency-key': idempotencyKey },
            });
            notify(`${data.tenant.name} is created.`);
            location.hash = hashOf(['tenants', data.tenant.id]);
            showOnce({
                title: 'Invitation of the first admin',
                text: `Send it to ${data.user.email}. It is good once, for 7 days, and not shown again.`,
                secret: data.token,
            });
        },
    });
}

import { api } from '../api.js';
import { ask } from '../dialog.js';
import { h } from '../dom.js';
import { count, time } from '../format.js';
import { notify, show } from '../notices.js';
import { hashOf } from '../router.js';
import { may } from '../session.js';
import { badge } from '../table.js';

/**
 * One tenant, with what may be done to it.
 *
 * @param {import('../main.js').Visit} visit
 * @param {string} tenantId
 */
export function tenantPage({ main, session, signal }, tenantId) {
    const path = `/api/admin/tenants/${encodeURIComponent(tenantId)}`;
    const heading = main.querySelector('h1');
    const place = h('div', {});
    const load = () =>
        show(
            place,
            async () => (await api('GET', path, { signal })).data.tenant,
            (tenant) => {
                if (heading) heading.textContent = tenant.name;
                return [details(tenant), actions({ tenant, path, session, reload: load })];
            },
        );
    main.prepend(h('p', { class: 'trail' }, h('a', { href: '#/tenants' }, 'Tenants')));
    main.append(place);
    void load();
}

/** @param {any} tenant */
const details = (tenant) =>
    h(
        'dl',
        { class: 'card details' },
        term('Status', badge(tenant.status)),
        tenant.suspendedReason && term('Suspended because', tenant.suspendedReason),
        term('Domain', tenant.domain),
        term('Plan', tenant.plan),
        tenant.limits && term('Figures of its own', ...figuresOf(tenant.limits)),
        term('Created', time(tenant.createdAt)),
        term('Changed', time(tenant.updatedAt)),
        tenant.deletedAt && term('Deleted', time(tenant.deletedAt)),
        term('Id', h('code', {}, tenant.id)),
    );

/** @param {string} title @param {...unknown} content */
export const term = (title, ...content) => h('div', {}, h('dt', {}, title), h('dd', {}, content));

/** @param {Record<string, number | null>} limits */
const figuresOf = (limits) =>
    Object.entries(limits).map(([name, value]) =>
        h('div', {}, `${name}: ${value === null ? 'no limit' : count(value)}`),
    );

/**
 * @param {{
 *     tenant: any;
 *     path: string;
 *     session: import('../session.js').Session;
 *     reload: () => Promise<void>;
 * }} options
 */
function actions({ tenant, path, session, reload }) {
    const { id, name, status } = tenant;
    const act = (/** @type {string} */ action, /** @type {object | undefined} */ body) =>
        change({
            url: `${path}/${action}`,
            body,
            told: `${name} is ${action === 'suspend' ? 'suspended' : 'active'}.`,
        });
    /** @param {{ url: string; body: object | undefined; told: string }} what */
    async function change({ url, body, told }) {
        await api('POST', url, body ? { body } : {});
        notify(told);
        await reload();
    }
    const maySuspend = may(session, 'tenant:suspend');
    return h(
        'div',
        { class: 'actions' },
        may(session, 'account:read') && h('a', { class: 'button', href: hashOf(['users'], { tenantId: id }) }, 'Users'),
        maySuspend &&
            status === 'active' &&
            h('button', { type: 'button', class: 'danger', onclick: () => askToSuspend(name, act) }, 'Suspend'),
        maySuspend &&
            status === 'suspended' &&
            h('button', { type: 'button', class: 'primary', onclick: () => askToActivate(name, act) }, 'Activate'),
    );
}

/** @typedef {(action: string, body?: object) => Promise<void>} Act */

/** @param {string} name @param {Act} act */
export const askToSuspend = (name, act) =>
    ask({
        title: `Suspend ${name}?`,
        text: 'Every request is refused from now on. Nothing is deleted.',
        fields: [{ name: 'reason', label: 'Reason', type: 'textarea', required: true, maxlength: 500 }],
        action: 'Suspend',
        isDangerous: true,
        run: ({ reason }) => act('suspend', { reason }),
    });

/** @param {string} name @param {Act} act */
export const askToActivate = (name, act) =>
    ask({
        title: `Activate ${name}?`,
        text: 'Requests are answered again from now on.',
        action: 'Activate',
        run: () => act('activate'),
    });

import { api } from '../api.js';
import { barChart } from '../chart.js';
import { h } from '../dom.js';
import { bytes, count, money, period, shortCount, time } from '../format.js';
import { keepFresh, show } from '../notices.js';
import { hashOf } from '../router.js';
import { may } from '../session.js';
import { table } from '../table.js';
import { tiles } from '../tiles.js';

const REFRESH_MS = 60_000;
/** In micro-dollars. */
const CENT = 10_000;
const REPORTED = { unit: 'day', count: 30 };

/** @type {import('../main.js').Page} */
export const dashboard = {
    section: 'dashboard',
    title: 'Dashboard',
    permission: 'platform:read',
    open: ({ main, session, signal }) => {
        const places = { figures: h('div', {}), revenue: h('div', {}), usage: h('div', {}) };
        const get = async (/** @type {string} */ path, query = {}) =>
            (await api('GET', `/api/admin/${path}`, { query, signal })).data;
        const load = () => show(places.figures, async () => (await get('dashboard')).dashboard, overview);
        main.append(places.figures, h('div', { class: 'reports' }, places.revenue, places.usage));
        void load();
        keepFresh(places.figures, { milliseconds: REFRESH_MS, signal, load });
        if (!may(session, 'report:read')) return;
        void show(places.revenue, async () => (await get('reports/revenue', REPORTED)).report, revenue);
        void show(places.usage, async () => (await get('reports/usage', REPORTED)).report, usage);
    },
};

/** @param {any} dashboard */
const overview = (dashboard) => [
    figures(dashboard),
    barChart({
        title: 'Requests of the last 24 hours',
        labels: namesOf(dashboard.requests),
        series: [
            {
                name: 'answered',
                kind: 'good',
                values: figuresOf(dashboard.requests, ({ count, errors }) => count - errors),
            },
            { name: 'errors', kind: 'bad', values: figuresOf(dashboard.requests, ({ errors }) => errors) },
        ],
        least: 4,
        format: count,
        formatScale: shortCount,
    }),
    dashboard.errors.byCode.length > 0 && errors(dashboard.errors.byCode),
    h('p', { class: 'quiet' }, `As of ${time(dashboard.asOf)}. Hours and days are those of UTC.`),
];

/** @param {any} dashboard */
const figures = ({ tenants, users, revenueMicros, usage, errors, backups }) =>
    tiles([
        {
            title: 'Requests today',
            value: count(usage.requestsToday),
            more: `${count(usage.requestsThisMonth)} this month`,
        },
        { title: 'Errors today', value: count(errors.today) },
        { title: 'Model calls today', value: count(usage.modelCallsToday) },
        { title: 'Tokens today', value: count(usage.tokensToday) },
        {
            title: 'Revenue this month',
            value: money(revenueMicros.month),
            more: `${money(revenueMicros.today)} today, ${money(revenueMicros.lastMonth)} last month`,
        },
        {
            title: 'Tenants',
            value: count(tenants.total),
            more: `${count(tenants.active)} active, ${count(tenants.suspended)} suspended`,
        },
        { title: 'Users', value: count(users.total), more: `${count(users.active30d)} active in 30 days` },
        {
            title: 'Backups',
            value: count(backups.count),
            more: `${bytes(backups.bytes)}, ${count(backups.failed24h)} failed in 24 h`,
        },
    ]);

/** @param {any[]} rows */
const errors = (rows) => [
    h('h2', {}, 'Errors today'),
    table({
        caption: 'Errors today',
        rows,
        columns: [
            { title: 'Code', cell: ({ code }) => h('code', {}, code), isHeader: true },
            { title: 'Answers', cell: (row) => count(row.count), isNumber: true },
        ],
    }),
];

/** @param {any} report */
const revenue = ({ periods, tenants }) => [
    barChart({
        title: 'Revenue of the last 30 days',
        labels: namesOf(periods),
        series: [{ name: 'revenue', kind: 'money', values: figuresOf(periods, ({ revenueMicros }) => revenueMicros) }],
        least: CENT,
        format: money,
        formatScale: money,
    }),
    tenants.length > 0 && [
        h('h2', {}, 'Tenants by revenue'),
        table({
            caption: 'Tenants by revenue',
            rows: tenants,
            columns: [
                { title: 'Tenant', cell: tenantLink, isHeader: true },
                { title: 'Revenue', cell: ({ revenueMicros }) => money(revenueMicros), isNumber: true },
            ],
        }),
    ],
];

/** @param {any} report */
const usage = ({ periods, models }) => [
    barChart({
        title: 'Model calls of the last 30 days',
        labels: namesOf(periods),
        series: [{ name: 'calls', kind: 'good', values: figuresOf(periods, ({ modelCalls }) => modelCalls) }],
        least: 4,
        format: count,
        formatScale: shortCount,
    }),
    models.length > 0 && [
        h('h2', {}, 'Models'),
        table({
            caption: 'Models by calls',
            rows: models,
            columns: [
                { title: 'Model', cell: ({ modelId }) => modelId, isHeader: true },
                { title: 'Calls', cell: ({ calls }) => count(calls), isNumber: true },
                { title: 'Tokens', cell: ({ tokens }) => count(tokens), isNumber: true },
            ],
        }),
    ],
];

/** @param {{ period: string }[]} periods */
const namesOf = (periods) => periods.map((one) => period(one.period));

/** @param {any[]} periods @param {(period: any) => number} figure */
const figuresOf = (periods, figure) => periods.map(figure);

/** @param {any} tenant */
const tenantLink = ({ tenantId, tenantName }) => h('a', { href: hashOf(['tenants', tenantId]) }, tenantName);

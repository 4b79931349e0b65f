import { term } from './tenant.js';
import { api } from '../api.js';
import { field, valuesOf } from '../dialog.js';
import { h } from '../dom.js';
import { count, time } from '../format.js';
import { failure, notify, show } from '../notices.js';
import { may } from '../session.js';
import { table } from '../table.js';

const PATH = '/api/admin/config';

/** @type {import('../main.js').Page} */
export const configuration = {
    section: 'configuration',
    title: 'Configuration',
    permission: 'platform:read',
    open: ({ main, session, signal }) => {
        const place = h('div', {});
        const load = () =>
            show(
                place,
                async () => (await api('GET', PATH, { signal })).data.config,
                (config) => [
                    may(session, 'platform:configure') ? configForm(config, load) : configDetails(config),
                    h('h2', {}, 'Limits of the tiers'),
                    limitTable(config.limits),
                ],
            );
        main.append(h('p', { class: 'quiet' }, 'What changes here holds at once, on all replicas.'), place);
        void load();
    },
};

/** @param {any} config */
const configDetails = ({ registration, maintenance, updatedAt }) =>
    h(
        'dl',
        { class: 'card details' },
        term('Registration', registration),
        term('Maintenance', maintenance.isOn ? 'on' : 'off'),
        maintenance.message && term('Message', maintenance.message),
        term('Changed', time(updatedAt)),
    );

/** @param {any} config @param {() => Promise<void>} reload */
function configForm({ registration, maintenance, revision, updatedAt }, reload) {
    const problem = h('div', {});
    const submit = h('button', { class: 'primary' }, 'Save');

    /** @param {SubmitEvent} event */
    async function save(event) {
        event.preventDefault();
        const values = valuesOf(form);
        const isOn = values.maintenance === 'on';
        submit.disabled = true;
        try {
            await api('PATCH', PATH, {
                body: {
                    // Where nobody has set it, it goes on following the setting of the servers.
                    ...(values.registration !== registration && { registration: values.registration }),
                    maintenance: { isOn, message: values.message ?? null },
                },
                headers: { 'if-match': `"${revision}"` },
            });
            notify('The configuration is saved.');
            await reload();
        } catch (error) {
            problem.replaceChildren(failure(error));
        } finally {
            submit.disabled = false;
        }
    }

    const form = h(
        'form',
        { class: 'card', onsubmit: save },
        fieldsOf(registration, maintenance),
        problem,
        h(
            'div',
            { class: 'actions' },
            h('small', {}, updatedAt ? `Changed ${time(updatedAt)}` : 'Never changed'),
            submit,
        ),
    );
    return form;
}

/** @param {string} registration @param {{ isOn: boolean; message: string | null }} maintenance */
const fieldsOf = (registration, maintenance) => [
    field({
        name: 'registration',
        label: 'Registration of new tenants',
        type: 'select',
        options: [
            ['open', 'open'],
            ['closed', 'closed'],
        ],
        value: registration,
    }),
    field({
        name: 'maintenance',
        label: 'Maintenance',
        type: 'select',
        options: [
            ['off', 'off'],
            ['on', 'on: requests of tenants are refused'],
        ],
        value: maintenance.isOn ? 'on' : 'off',
    }),
    field({
        name: 'message',
        label: 'Message during maintenance',
        type: 'textarea',
        maxlength: 500,
        value: maintenance.message ?? '',
    }),
];

/** @param {Record<string, Record<string, number | null>>} limits By tier */
const limitTable = (limits) =>
    table({
        caption: 'Limits of the tiers',
        rows: Object.keys(Object.values(limits)[0] ?? {}),
        columns: [
            { title: 'Figure', cell: (name) => name, isHeader: true },
            ...Object.entries(limits).map(([tier, figures]) => ({
                title: tier,
                cell: (/** @type {string} */ name) => (figures[name] === null ? 'no limit' : count(figures[name])),
                isNumber: true,
            })),
        ],
    });

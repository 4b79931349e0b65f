import { api } from '../api.js';
import { h } from '../dom.js';
import { age, count, time } from '../format.js';
import { keepFresh, show } from '../notices.js';
import { table } from '../table.js';
import { tiles } from '../tiles.js';

const REFRESH_MS = 10_000;

/** @type {import('../main.js').Page} */
export const live = {
    section: 'live',
    title: 'Live',
    permission: 'platform:read',
    open: ({ main, signal }) => {
        let isHeld = false;
        const place = h('div', {});
        const load = () =>
            show(place, async () => (await api('GET', '/api/admin/replicas', { signal })).data.replicas, overview);
        const hold = h('button', { type: 'button', 'aria-pressed': 'false', onclick: toggle }, 'Hold still');

        function toggle() {
            isHeld = !isHeld;
            hold.setAttribute('aria-pressed', String(isHeld));
        }

        main.append(
            h('div', { class: 'toolbar' }, h('p', { class: 'quiet' }, 'What every process does at this moment.'), hold),
            place,
        );
        void load();
        const refresh = async () => {
            if (!isHeld) await load();
        };
        keepFresh(place, { milliseconds: REFRESH_MS, signal, load: refresh });
    },
};

/** @param {any[]} replicas */
const overview = (replicas) => [
    tiles([
        { title: 'Processes', value: count(replicas.length) },
        { title: 'Open streams', value: count(sum(replicas, 'streams')) },
        { title: 'Generations', value: count(sum(replicas, 'generations')) },
        { title: 'Tunnels', value: count(sum(replicas, 'tunnels')) },
    ]),
    table({
        caption: 'Processes',
        empty: 'No process has told of itself yet.',
        rows: replicas,
        columns: [
            { title: 'Process', cell: ({ id }) => h('code', {}, id), isHeader: true },
            { title: 'Role', cell: ({ role }) => role },
            { title: 'Version', cell: ({ version }) => version },
            { title: 'Up for', cell: ({ startedAt }) => h('span', { title: time(startedAt) }, age(startedAt)) },
            { title: 'Seen', cell: ({ seenAt }) => `${age(seenAt)} ago` },
            { title: 'Delay', cell: ({ eventLoopDelayMs }) => `${count(eventLoopDelayMs)} ms`, isNumber: true },
            { title: 'Memory', cell: ({ rssMb }) => `${count(rssMb)} MB`, isNumber: true },
            { title: 'Streams', cell: ({ streams }) => count(streams), isNumber: true },
            { title: 'Generations', cell: ({ generations }) => count(generations), isNumber: true },
            { title: 'Tunnels', cell: ({ tunnels }) => count(tunnels), isNumber: true },
        ],
    }),
];

/** @param {any[]} replicas @param {string} name */
const sum = (replicas, name) => replicas.reduce((total, replica) => total + (replica[name] ?? 0), 0);

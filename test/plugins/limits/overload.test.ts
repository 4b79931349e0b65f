import { setTimeout as sleep } from 'node:timers/promises';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { processLoad, type Load } from '../../../src/telemetry/load.ts';
import { startApp, type Answer, type TestApp } from '../../helpers/app.ts';
import { expectError } from '../../helpers/expect-error.ts';
import { newTenant } from '../../helpers/tenant.ts';
import { messagesPath, newThread } from '../../helpers/thread.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

const CALM: Load = { delayMs: 500, rssMb: 450 };

describe('a server with more to do than it can', () => {
    let app: TestApp;
    let load: Load;
    let looks = 0;

    before(async () => {
        load = CALM;
        const measureLoad = () => {
            looks++;
            return load;
        };
        app = await startApp({ measureLoad, config: { MAX_EVENT_LOOP_DELAY_MS: 500, MAX_RSS_MB: 450 } });
    });

    after(() => app.stop());

    /** Waits until the next look has seen that load. */
    const become = async (next: Load) => {
        load = next;
        for (const before = looks; looks === before;) await sleep(10);
    };

    const refused = (answer: Answer) => {
        expectError(answer, 'SERVER_BUSY');
        expect(answer.headers['retry-after']).to.equal('1');
    };
    const PROBES = ['/health', '/health/live', '/health/ready'];

    for (const [what, most, tooMuch] of [
        ['event loop is late', { delayMs: 1_000, rssMb: 450 }, { delayMs: 1_001, rssMb: 450 }],
        ['memory is full', { delayMs: 500, rssMb: 900 }, { delayMs: 500, rssMb: 901 }],
    ] as const) {
        it(`refuses every request at twice the mark when its ${what}, before it looks at credentials`, async () => {
            const tenant = await newTenant(app);
            await become(tooMuch);
            refused(await tenant.call('GET', '/api/threads'));
            refused(await app.call('GET', '/api/threads'));
            refused(await app.call('POST', '/api/login', { payload: {} }));
            refused(await app.call('GET', '/api/errors'));
            for (const probe of PROBES) expect((await app.call('GET', probe)).status, probe).to.equal(200);
            await become(CALM);
            expect((await tenant.call('GET', '/api/threads')).status).to.equal(200);
        });

        it(`refuses what is expensive at the mark when its ${what}, and recovers`, async () => {
            const tenant = await newTenant(app);
            const path = messagesPath(await newThread(tenant));
            const send = () => tenant.call('POST', path, { payload: { content: 'Hello' } });
            const { email, password } = tenant;
            for (const load of [{ ...CALM, delayMs: 501 }, { ...CALM, rssMb: 451 }, most]) {
                await become(load);
                refused(await send());
                refused(await app.call('POST', path, { payload: { content: 'Hello' } }));
                refused(await app.call('POST', '/api/login', { payload: { email, password } }));
                refused(await app.call('POST', '/api/auth/register', { payload: {} }));
                expect((await tenant.call('GET', '/api/threads')).status).to.equal(200);
                expect((await tenant.call('POST', '/api/threads', { payload: {} })).status).to.equal(201);
                expectError(await app.call('GET', '/api/threads'), 'UNAUTHENTICATED');
            }
            await become(CALM);
            expect((await send()).status).to.equal(200);
            expect((await app.call('POST', '/api/login', { payload: { email, password } })).status).to.equal(200);
        });
    }

    it('takes for expensive what calls a model or hashes a password', () => {
        const routes = app.server.table().filter(({ settings }) => settings.app?.isExpensive);
        const names = routes.map(({ method, path }) => `${method.toUpperCase()} ${path}`);
        expect(names).to.include([
            'POST /api/threads/{threadId}/models/{modelId}/messages',
            'POST /api/login',
            'POST /api/auth/login',
            'POST /api/auth/register',
            'POST /api/auth/password',
            'POST /api/auth/password/reset',
            'POST /api/auth/invitation/accept',
            'POST /api/users',
            'POST /api/admin/tenants',
            'DELETE /api/profile',
        ]);
        expect(names.filter((name) => name.startsWith('GET '))).to.equal([]);
    });

    it('is not measured by requests', async () => {
        const before = looks;
        await Promise.all(Array.from({ length: 50 }, () => app.call('GET', '/health/live')));
        expect(looks - before).to.be.below(10);
    });
});

describe('processLoad', () => {
    it('measures the memory of the process and by how much its event loop is late', async () => {
        const { measure, stop } = processLoad();
        try {
            const { rssMb } = measure();
            expect(rssMb).to.be.between(20, 20_000);
            await sleep(50);
            measure();
            const end = performance.now() + 400;
            while (performance.now() < end);
            // Time for the loop to notice; on average over that it was late by much more than it ever is when idle.
            await sleep(50);
            expect(measure().delayMs).to.be.above(30);
        } finally {
            stop();
        }
    });
});

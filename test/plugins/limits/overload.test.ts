import { setTimeout as sleep } from 'node:timers/promises';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { processLoad, type Load } from '../../../src/telemetry/load.ts';
import { startApp, type TestApp } from '../../helpers/app.ts';
import { expectError } from '../../helpers/expect-error.ts';
import { newTenant } from '../../helpers/tenant.ts';

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

    for (const [what, busy] of [
        ['event loop is late', { ...CALM, delayMs: 501 }],
        ['memory is full', { ...CALM, rssMb: 451 }],
    ] as const) {
        it(`refuses every request whose ${what}, before it looks at credentials, and recovers`, async () => {
            const tenant = await newTenant(app);
            await become(busy);
            for (const answer of [
                await tenant.call('GET', '/api/threads'),
                await app.call('GET', '/api/threads'),
                await app.call('POST', '/api/login', { payload: {} }),
                await app.call('GET', '/api/errors'),
            ]) {
                expectError(answer, 'SERVER_BUSY');
                expect(answer.headers['retry-after']).to.equal('1');
            }
            for (const probe of ['/health', '/health/live', '/health/ready']) {
                expect((await app.call('GET', probe)).status, probe).to.equal(200);
            }
            await become(CALM);
            expect((await tenant.call('GET', '/api/threads')).status).to.equal(200);
        });
    }

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
